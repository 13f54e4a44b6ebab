"""Every way to serve a project yields the same telemetry, and never breaks it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final

import psutil
import pytest

from tests.support.collector import Collector, ReceivedSpan, collecting
from tests.support.http import Client
from tests.support.processes import running
from tests.support.programs import python_program
from tests.support.servers import (
    free_port,
    gunicorn,
    runserver,
    serving,
    uvicorn,
)
from tests.support.sites import CODE, REPOSITORY, Site
from tests.support.wait import wait_until

EXPORTED: Final = {"DJANGO_SETTINGS_MODULE": "library.settings"}
BARE: Final = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "library",
]

# What is asked of every server: name, status and code of the span that must come of
# it, its route, and the names of its queries' spans.
ASKED: Final[dict[str, tuple[str, str, int, str | None, tuple[str, ...]]]] = {
    "/items/7/?card=opensesame": (
        "GET /items/<int:pk>/",
        "UNSET",
        200,
        "/items/<int:pk>/",
        (),
    ),
    "/nowhere/": ("GET", "UNSET", 404, None, ()),
    "/missing/": ("GET /missing/", "UNSET", 404, "/missing/", ()),
    "/queries/one/": (
        "GET /queries/one/",
        "UNSET",
        200,
        "/queries/one/",
        ("SELECT library_author",),
    ),
    "/queries/other-alias/": (
        "GET /queries/other-alias/",
        "UNSET",
        200,
        "/queries/other-alias/",
        ("SELECT",),
    ),
    "/fails/": ("GET /fails/", "ERROR", 500, "/fails/", ()),
}
ENDPOINTS: Final = {
    "/items/<int:pk>/": (1, 0),
    "__unresolved__": (1, 0),
    "/missing/": (1, 0),
    "/queries/one/": (1, 0),
    "/queries/other-alias/": (1, 0),
    "/fails/": (1, 1),
}


@dataclass(frozen=True, slots=True)
class Way:
    """One way to serve the site."""

    command: Callable[[], Sequence[str]]
    is_launched: bool = True
    environment: Mapping[str, str] | None = None


WAYS: Final = {
    "gunicorn": Way(gunicorn),
    "gunicorn, settings exported": Way(gunicorn, environment=EXPORTED),
    "gunicorn gthread": Way(lambda: gunicorn("--threads=3")),
    "gunicorn gevent": Way(lambda: gunicorn("--worker-class=gevent")),
    "gunicorn preloading": Way(lambda: gunicorn("--preload")),
    "gunicorn preloading, settings exported": Way(
        lambda: gunicorn("--preload"), environment=EXPORTED
    ),
    "uvicorn": Way(uvicorn),
    "uvicorn with workers": Way(lambda: uvicorn(workers=2)),
    "runserver": Way(runserver),
    "runserver, settings exported": Way(runserver, environment=EXPORTED),
    "gunicorn, installed only": Way(gunicorn, is_launched=False),
    "gunicorn gevent, installed only": Way(
        lambda: gunicorn("--worker-class=gevent"), is_launched=False
    ),
    "gunicorn preloading, installed only": Way(
        lambda: gunicorn("--preload"), is_launched=False
    ),
    "uvicorn, installed only": Way(uvicorn, is_launched=False),
    "runserver, installed only": Way(runserver, is_launched=False),
}


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as found:
        yield found


@pytest.fixture
def quick(site: Site) -> Site:
    """Return a site that hands over what it counts at short intervals."""
    return site.with_settings(MONITORING_SETTINGS={"FLUSH_INTERVAL": 0.5})


def ask_all(client: Client) -> list[int]:
    return [client.get(path).status for path in ASKED]


def described(collector: Collector, request: ReceivedSpan) -> tuple[object, ...]:
    attributes = request.attributes
    return (
        request.name,
        request.status[0],
        attributes["http.response.status_code"],
        attributes.get("http.route"),
        tuple(query.name for query in collector.queries(request)),
    )


def telemetry(collector: Collector) -> list[tuple[object, ...]]:
    requests = collector.requests(len(ASKED))
    collector.wait_for(2, kind="CLIENT")
    return [described(collector, request) for request in requests]


def endpoints(site: Site) -> dict[str, tuple[int, int]]:
    summary = ("manage_monitoring", "summary", "--hours", "1", "--format", "json")
    rows = site.manage_json(*summary)["endpoints"]
    return {row["endpoint"]: (row["count"], row["error_count"]) for row in rows}


def assert_all_is_told(collector: Collector, site: Site) -> None:
    assert telemetry(collector) == list(ASKED.values())
    (service,) = {span.resource["service.name"] for span in collector.spans}
    assert service == "library"
    assert_all_is_counted(site)


def assert_all_is_counted(site: Site) -> None:
    wait_until(
        lambda: endpoints(site) == ENDPOINTS,
        seconds=20,
        every=0.5,
        what=lambda: f"the view to agree: {endpoints(site)}",
    )


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_every_way_to_serve_yields_the_same_telemetry(
    way: Way, quick: Site, collector: Collector
) -> None:
    site = quick.with_environment(**collector.variables(), **(way.environment or {}))
    with serving(site, way.command(), is_launched=way.is_launched) as server:
        statuses = ask_all(server.client)
        assert_all_is_told(collector, site)

    assert statuses == [200, 404, 404, 200, 200, 500]
    assert "opensesame" not in str(collector.spans)


def test_without_an_endpoint_nothing_is_exported_or_said(quick: Site) -> None:
    with serving(quick, gunicorn(workers=1)) as server:
        server.client.get("/plain/")
        wait_until(lambda: endpoints(quick) == {"/plain/": (1, 0)}, every=0.5)
        (worker,) = server.workers()
        connections = psutil.Process(worker).net_connections(kind="tcp")

    assert [each for each in connections if each.status != psutil.CONN_LISTEN] == []
    assert "opentelemetry" not in server.process.output()


def test_a_project_is_measured_that_does_not_know_of_us(
    quick: Site, collector: Collector
) -> None:
    site = quick.with_settings(INSTALLED_APPS=BARE)
    with serving(site.with_environment(**collector.variables()), gunicorn()) as server:
        ask_all(server.client)
        assert telemetry(collector) == list(ASKED.values())
        # The store is the same, whoever of the project reads it.
        assert_all_is_counted(quick)


# --- Others that configure OpenTelemetry too ------------------------------------------

OWN_PROVIDER: Final = """
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider(resource=Resource.create({"service.name": "their-own"}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
"""
OWN_INSTRUMENTATION: Final = """
from opentelemetry.instrumentation.django import DjangoInstrumentor

def name(span, request, response):
    span.set_attribute("their.own", "yes")

DjangoInstrumentor().instrument(response_hook=name)
"""
SERVE: Final = "from library.wsgi import application"

# As the generic distribution does it, found before ours.
FOREIGN_DISTRO: Final = """
import os
from opentelemetry.instrumentation.distro import BaseDistro
from opentelemetry.sdk._configuration import _OTelSDKConfigurator

class Distro(BaseDistro):
    def _configure(self, **kwargs):
        os.environ.setdefault("OTEL_TRACES_EXPORTER", "otlp")
        os.environ.setdefault("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")

class Configurator(_OTelSDKConfigurator):
    pass
"""
FOREIGN_ENTRY_POINTS: Final = """
[opentelemetry_distro]
{name} = foreign_distro:Distro
[opentelemetry_configurator]
{name} = foreign_distro:Configurator
"""


def with_code(site: Site, directory: Path, **modules: str) -> Site:
    """Return a site that can import `modules`, which are given by their source."""
    for name, source in modules.items():
        (directory / f"{name}.py").write_text(source)
    path = os.pathsep.join(map(str, (directory, CODE, REPOSITORY)))
    return site.with_environment(
        PYTHONPATH=path, DJANGO_SETTINGS_MODULE="library.settings"
    )


def serving_module(name: str) -> list[str]:
    command = gunicorn()
    command[command.index("library.wsgi")] = name
    return command


@pytest.mark.parametrize("is_launched", [False, True])
def test_a_provider_of_the_applications_own_stays_and_is_joined(
    quick: Site, collector: Collector, tmp_path: Path, is_launched: bool
) -> None:
    own = with_code(quick, tmp_path, own_wsgi=OWN_PROVIDER + SERVE)
    site = own.with_environment(**collector.variables())
    command = serving_module("own_wsgi")
    with serving(site, command, is_launched=is_launched) as server:
        ask_all(server.client)
        assert telemetry(collector) == list(ASKED.values())
        assert_all_is_counted(site)

    # The launcher sets its own first; then OpenTelemetry refuses the application's.
    expected = "library" if is_launched else "their-own"
    assert {span.resource["service.name"] for span in collector.spans} == {expected}


def test_a_provider_set_after_the_handler_was_built_replaces_ours(
    quick: Site, collector: Collector, tmp_path: Path
) -> None:
    own = with_code(quick, tmp_path, own_wsgi=SERVE + OWN_PROVIDER)
    site = own.with_environment(**collector.variables())
    with serving(site, serving_module("own_wsgi"), is_launched=False) as server:
        ask_all(server.client)
        assert telemetry(collector) == list(ASKED.values())
        assert_all_is_counted(site)

    assert {span.resource["service.name"] for span in collector.spans} == {"their-own"}


def test_a_provider_set_in_each_worker_of_a_preloading_server_replaces_ours(
    quick: Site, collector: Collector, tmp_path: Path
) -> None:
    hook = "def post_fork(server, worker):" + OWN_PROVIDER.replace("\n", "\n    ")
    (tmp_path / "hooks.py").write_text(hook)
    site = quick.with_environment(**collector.variables())
    command = gunicorn("--preload", f"--config={tmp_path / 'hooks.py'}")
    with serving(site, command, is_launched=False) as server:
        ask_all(server.client)
        assert telemetry(collector) == list(ASKED.values())
        assert_all_is_counted(site)

    assert {span.resource["service.name"] for span in collector.spans} == {"their-own"}


def test_an_instrumentation_of_the_applications_own_keeps_its_hooks(
    quick: Site, collector: Collector, tmp_path: Path
) -> None:
    source = OWN_PROVIDER + OWN_INSTRUMENTATION + SERVE
    own = with_code(quick, tmp_path, own_wsgi=source)
    site = own.with_environment(**collector.variables())
    with serving(site, serving_module("own_wsgi"), is_launched=False) as server:
        ask_all(server.client)
        requests = collector.requests(len(ASKED))
        assert_all_is_counted(site)

    assert [span.attributes["their.own"] for span in requests] == ["yes"] * len(ASKED)
    assert [span.name for span in requests] == [name for name, *_ in ASKED.values()]


@pytest.mark.parametrize("name", ["distro", "vendor"])
def test_another_distribution_found_first_changes_nothing(
    quick: Site, collector: Collector, tmp_path: Path, name: str
) -> None:
    metadata = tmp_path / "foreign_distro-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: foreign-distro\nVersion: 1.0\n")
    points = FOREIGN_ENTRY_POINTS.format(name=name)
    (metadata / "entry_points.txt").write_text(points)
    foreign = with_code(quick, tmp_path, foreign_distro=FOREIGN_DISTRO)
    # What the generic one leaves out, ours does; a vendor's names the service itself.
    service = {"OTEL_SERVICE_NAME": "library"} if name == "vendor" else {}
    site = foreign.with_environment(**collector.variables(), **service)
    with serving(site, gunicorn()) as server:
        ask_all(server.client)
        assert_all_is_told(collector, site)


def test_a_configuration_file_that_cannot_be_read_costs_the_export_only(
    quick: Site, tmp_path: Path
) -> None:
    site = quick.with_environment(OTEL_CONFIG_FILE=str(tmp_path / "none.yaml"))
    with serving(site, gunicorn(), may_fail=True) as server:
        assert ask_all(server.client) == [200, 404, 404, 200, 200, 500]
        assert_all_is_counted(site)


# --- What must stay as it is ----------------------------------------------------------


@pytest.mark.parametrize("is_launched", [False, True])
def test_settings_that_raise_leave_the_error_of_the_application(
    site: Site, is_launched: bool
) -> None:
    broken = site.with_environment(DJANGO_SETTINGS_MODULE="library.broken_settings")
    launcher = [python_program("opentelemetry-instrument")] if is_launched else []
    log = site.directory / "server.log"
    with running(
        [*launcher, *gunicorn(workers=1)],
        log=log,
        environment=broken.variables(),
        directory=CODE,
    ) as process:
        status = process.popen.wait(30)

    assert status == 3  # as gunicorn ends when a worker cannot load the application
    assert "RuntimeError: the site's own mistake" in process.output()
    assert "/prs_otel/" not in process.output()  # no frame of ours in its traceback


def test_switched_off_it_leaves_no_thread_and_no_file(
    site: Site, collector: Collector
) -> None:
    off = site.with_settings(MONITORING_SETTINGS={"ENABLED": False}).with_environment(
        **collector.variables()
    )
    with serving(off, gunicorn(workers=1)) as server:
        statuses = ask_all(server.client)
        (worker,) = server.workers()
        threads = psutil.Process(worker).num_threads()
    with serving(
        site.with_settings(INSTALLED_APPS=BARE), gunicorn(workers=1), is_launched=False
    ) as server:
        ask_all(server.client)
        (worker,) = server.workers()
        bare_threads = psutil.Process(worker).num_threads()

    assert statuses == [200, 404, 404, 200, 200, 500]
    assert collector.spans == []
    assert list(site.directory.rglob("*prs_otel*")) == []
    assert threads - bare_threads <= 1  # the SDK's own, which exports spans


def test_in_a_projects_own_tests_nothing_starts(site: Site, tmp_path: Path) -> None:
    package = tmp_path / "checks"
    package.mkdir()
    (package / "test_nothing.py").write_text(PROJECT_TESTS)
    launcher = python_program("opentelemetry-instrument")
    manage = str(CODE / "manage.py")
    with running(
        [launcher, sys.executable, manage, "test", str(package)],
        log=tmp_path / "log",
        environment=site.variables(),
        directory=CODE,
    ) as process:
        status = process.popen.wait(60)

    assert status == 0, process.output()
    assert "Ran 2 tests" in process.output()
    assert list(site.directory.rglob("*prs_otel*")) == []


PROJECT_TESTS: Final = """
import threading

from django.db import connection
from django.test import TestCase
from library.models import Author

class Tests(TestCase):
    databases = ["default"]

    def test_a_request_makes_its_own_queries_only(self):
        with self.assertNumQueries(1):
            self.client.get("/queries/one/")

    def test_nothing_has_started(self):
        Author.objects.create(name="Somebody")
        self.client.get("/queries/one/")
        self.assertIs(type(connection.execute_wrappers), list)
        self.assertEqual(connection.execute_wrappers, [])
        self.assertEqual([t.name for t in threading.enumerate()], ["MainThread"])
"""


def test_until_it_is_used_nothing_of_django_is_imported(site: Site) -> None:
    # gevent could no longer patch what a pre-fork master has imported.
    script = (
        "import sys; print([name for name in sys.modules if name.startswith('django')])"
    )
    launcher = python_program("opentelemetry-instrument")
    done = subprocess.run(
        [launcher, sys.executable, "-c", script],
        capture_output=True,
        check=True,
        cwd=CODE,
        env=site.variables(),
        text=True,
    )

    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_who_does_not_lead_has_not_loaded_what_evaluates_and_tells(site: Site) -> None:
    script = (
        "import sys; print(sorted({'alerting.wiring', *LEADING} & set(sys.modules)))"
    )
    leading = "LEADING = ('alerting.evaluator', 'alerting.ledger', 'alerting.schemas')"

    done = site.manage("shell", "--verbosity=0", "-c", f"{leading}\n{script}")

    assert done.stdout == "['alerting.wiring']\n"


def test_a_management_command_is_measured_but_answers_no_request(quick: Site) -> None:
    count = "from library.models import Book; print(Book.objects.count())"
    assert quick.manage("shell", "-c", count).stdout.endswith("10\n")

    summary = ("manage_monitoring", "summary", "--hours", "1", "--format", "json")
    found = quick.manage_json(*summary)
    counted = [row for row in found["fingerprints"] if "COUNT" in row["query"]]
    assert [row["count"] for row in counted] == [1]
    assert found["requests"]["count"] == 0


# --- A collector that is not there ----------------------------------------------------


def test_an_unreachable_collector_delays_neither_requests_nor_the_end(
    quick: Site,
) -> None:
    site = quick.with_environment(
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{free_port()}",
        OTEL_BSP_SCHEDULE_DELAY="100",
    )
    with serving(site, gunicorn()) as server:
        started = monotonic()
        for _ in range(50):
            server.client.get("/plain/")
        per_request = (monotonic() - started) / 50
        started = monotonic()
        assert server.process.stop(seconds=20) == 0
        shutdown = monotonic() - started

    # Waiting for the collector would cost each request its whole time-out, and the end
    # half a minute for each of traces, metrics and logs.
    assert per_request < 0.5
    assert shutdown < 15
