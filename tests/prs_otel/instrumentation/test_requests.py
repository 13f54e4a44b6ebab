"""Requests through the middleware and hooks, on a thread and on an event loop."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.db import IntegrityError, connection
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    StreamingHttpResponse,
)
from django.test import AsyncClient, Client
from django.urls import path, re_path
from opentelemetry import trace
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.util.http import parse_excluded_urls

from prs_otel import expected_queries, guard
from prs_otel.instrumentation import database, django_instrumentor, requests
from prs_otel.instrumentation.middleware import PATH, STOCK, RequestMiddleware
from prs_otel.observation import Observation, RequestContext, Thresholds
from prs_otel.request_context import current_request
from prs_otel.semconv import DJANGO_SCOPE
from tests.support.traces import Traces, close_connections_of_other_threads, tracing

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]

THRESHOLDS = Thresholds(n_plus_one_count=3, n_plus_one_duration=0)


# --- The application ------------------------------------------------------------------


def plain(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("plain")


async def aplain(request: HttpRequest) -> HttpResponse:
    return HttpResponse("plain")


def fails(request: HttpRequest) -> HttpResponse:
    raise ValueError("cannot pay 4111222233334444")


def collides(request: HttpRequest) -> HttpResponse:
    raise IntegrityError("Key (card)=(4111222233334444) already exists")


def missing(request: HttpRequest) -> HttpResponse:
    raise Http404("no 4111222233334444")


def repeats(request: HttpRequest) -> HttpResponse:
    for number in range(5):
        run(number)
    return HttpResponse()


def repeats_as_expected(request: HttpRequest) -> HttpResponse:
    with expected_queries():
        return repeats(request)


def streams(request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[str]:
        for number in range(4):
            time.sleep(0.005)
            run(number)
            yield str(number)

    return StreamingHttpResponse(parts())


def breaks_off(request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[str]:
        yield "part"
        raise ValueError("in the middle")

    return StreamingHttpResponse(parts())


async def astreams(request: HttpRequest) -> StreamingHttpResponse:
    async def parts() -> Any:
        for number in range(4):
            await asyncio.sleep(0.005)
            yield str(number)

    return StreamingHttpResponse(parts())


async def abreaks_off(request: HttpRequest) -> StreamingHttpResponse:
    async def parts() -> Any:
        yield "part"
        raise ValueError("in the middle")

    return StreamingHttpResponse(parts())


def file(request: HttpRequest) -> FileResponse:
    # The response closes the file.
    return FileResponse(Path(__file__).open("rb"))


async def hangs(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(60)
    return HttpResponse()


def exits(request: HttpRequest) -> HttpResponse:
    raise KeyboardInterrupt


def logs_in(request: HttpRequest) -> HttpResponse:
    request.user = User(pk=7)
    return HttpResponse()


def run(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {number}")


urlpatterns = [
    path("", plain),
    path("items/<int:pk>/", plain),
    re_path(r"^old/(?P<pk>\d+)/$", plain),
    path("async/", aplain),
    path("fails/", fails),
    path("collides/", collides),
    path("missing/", missing),
    path("repeats/", repeats),
    path("repeats-as-expected/", repeats_as_expected),
    path("streams/", streams),
    path("breaks-off/", breaks_off),
    path("async/streams/", astreams),
    path("async/breaks-off/", abreaks_off),
    path("file/", file),
    path("hangs/", hangs),
    path("exits/", exits),
    path("logs-in/", logs_in),
]


# --- Asking ---------------------------------------------------------------------------


@dataclass
class Site:
    """The application behind one of Django's handlers, with us installed."""

    traces: Traces
    is_async: bool
    counted: list[str] = field(default_factory=list)

    def get(self, address: str, **options: Any) -> Any:
        """Send a request and read the whole of the response."""
        if self.is_async:
            return asyncio.run(self._aget(address, **options))
        response: Any = Client(raise_request_exception=False).get(address, **options)
        if response.streaming:
            list(response.streaming_content)
        response.close()
        return response

    async def _aget(self, address: str, **options: Any) -> Any:
        client = AsyncClient(raise_request_exception=False)
        response: Any = await client.get(address, **options)
        if response.streaming:
            [part async for part in response]
        response.close()
        return response

    def span(self, address: str, **options: Any) -> ReadableSpan:
        """Return the span of the request."""
        self.get(address, **options)
        (span,) = [each for each in self.traces.exported if each.kind.name == "SERVER"]
        return span

    def observation(self, address: str, **options: Any) -> Observation:
        """Return the observation of the request."""
        self.get(address, **options)
        (observation,) = self.traces.observed_as("request")
        return observation

    def context(self, address: str, **options: Any) -> RequestContext:
        """Return what was gathered while the request ran."""
        request = self.observation(address, **options).request
        assert request is not None
        return request


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> Iterator[Traces]:
    found = tracing(THRESHOLDS)
    found.set_globally(monkeypatch)
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")
    yield found
    current_request.set(None)
    close_connections_of_other_threads()


@pytest.fixture(params=[False, True], ids=["wsgi", "asgi"])
def site(request: pytest.FixtureRequest, traces: Traces) -> Iterator[Site]:
    found = Site(traces, request.param)
    install(found)
    yield found
    database.uninstall()
    requests.uninstrument()


def install(
    site: Site,
    tenant: Callable[[Any], Any] | None = None,
    thresholds: Thresholds = THRESHOLDS,
) -> None:
    requests.instrument(
        record=site.traces.observed.append,
        thresholds=lambda: thresholds,
        tenant=tenant,
        count=lambda name, labels, amount: site.counted.append(name),
    )
    database.install(thresholds=lambda: thresholds)


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


# --- What is told ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "route"),
    [
        ("/items/7/", "/items/<int:pk>/"),
        ("/", "/"),
        ("/old/7/", r"/old/(?P<pk>\d+)/$"),
        ("/async/", "/async/"),
    ],
)
def test_a_request_is_known_by_its_route(site: Site, address: str, route: str) -> None:
    span = site.span(address)

    assert span.name == f"GET {route}"
    assert attributes(span)["http.route"] == route
    (observation,) = site.traces.observed_as("request")
    assert observation.labels == (route, "GET")
    assert not observation.is_error
    assert current_request.get() is None


def test_what_no_route_matches_is_unresolved(site: Site) -> None:
    span = site.span("/nowhere/4111222233334444/")

    assert span.name == "GET"
    assert "http.route" not in attributes(span)
    (observation,) = site.traces.observed_as("request")
    assert observation.labels == ("__unresolved__", "GET")


def short_circuit(get_response: Any) -> Any:
    def respond(request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=503)

    return respond


def test_a_request_that_a_middleware_answers_has_its_route(
    site: Site, settings: Any
) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.short_circuit"]
    observation = site.observation("/items/7/")

    assert observation.labels == ("/items/<int:pk>/", "GET")
    assert observation.is_error


def test_a_view_that_raises_is_an_error_with_its_exception(site: Site) -> None:
    span = site.span("/fails/")

    assert span.status.status_code.name == "ERROR"
    assert [event.name for event in span.events] == ["exception"]
    assert site.traces.observed_as("request")[0].is_error


def test_a_raised_404_is_no_error(site: Site) -> None:
    span = site.span("/missing/")

    assert span.status.status_code.name == "UNSET"
    assert span.events == ()
    assert not site.traces.observed_as("request")[0].is_error


def test_what_a_database_said_is_not_told(site: Site) -> None:
    span = site.span("/collides/")

    (event,) = span.events
    assert dict(event.attributes or {})["exception.type"] == (
        "django.db.utils.IntegrityError"
    )
    assert "4111222233334444" not in span.to_json()
    assert site.traces.observed_as("request")[0].is_error


def test_values_of_the_query_string_are_redacted(site: Site) -> None:
    span = site.span("/items/7/?card=4111222233334444&4112")

    assert attributes(span)["url.path"] == "/items/7/"
    assert attributes(span)["url.query"] == "card=REDACTED&REDACTED"
    # Ids and times are left out: they may have any digits.
    said = (span.name, attributes(span), span.events, span.status.description)
    assert "411" not in str(said)


def test_no_header_is_captured(site: Site) -> None:
    span = site.span("/items/7/", headers={"authorization": "Bearer 4111222233334444"})

    assert [name for name in attributes(span) if ".header." in name] == []


def test_a_host_that_is_not_allowed_matters_to_the_application_only(
    site: Site, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["example.org"]
    settings.MIDDLEWARE = [PATH]
    span = site.span("/items/7/")

    assert attributes(span)["http.response.status_code"] == 200


def test_excluded_urls_are_left_out(
    site: Site, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    excluded = parse_excluded_urls("items/.*")
    monkeypatch.setattr(RequestMiddleware, "_excluded_urls", excluded)
    assert site.get("/items/7/").status_code == 200
    settings.ALLOWED_HOSTS = ["example.org"]
    settings.MIDDLEWARE = [PATH]
    assert site.get("/items/8/").status_code == 200

    assert (site.traces.exported, site.traces.observed) == ((), [])
    assert site.observation("/").labels == ("/", "GET")


def test_the_user_is_told_when_he_is_known(site: Site) -> None:
    assert attributes(site.span("/logs-in/"))["user.id"] == "7"
    assert [each.request.user_id for each in site.traces.observed if each.request] == [
        "7"
    ]


def test_a_user_nobody_asked_for_costs_no_query(
    site: Site, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        assert "user.id" not in attributes(site.span("/"))


def test_the_tenant_is_what_the_resolver_says(site: Site) -> None:
    install(site, tenant=lambda request: request.headers.get("X-Tenant"))
    span = site.span("/repeats/", headers={"x-tenant": "acme"})

    assert attributes(span)["prs.tenant.id"] == "acme"
    (request,) = {each.request for each in site.traces.observed_as("request")}
    assert request is not None
    assert request.organization_id == "acme"
    assert len(request.query_outcomes) == 5


def test_a_tenant_resolver_that_queries_gets_none(site: Site) -> None:
    install(site, tenant=lambda request: request.user.pk)
    context = site.context("/", headers={"cookie": f"sessionid={'x' * 32}"})

    assert context.organization_id is None
    assert site.counted == ["prs.tenant.failures"]


def test_a_tenant_that_is_not_told_apart_is_not_asked_for(
    site: Site, settings: Any
) -> None:
    settings.MONITORING_SETTINGS = {"TRACK_ORGANIZATIONS": False}
    asked: list[object] = []
    install(site, tenant=asked.append)
    context = site.context("/repeats/")

    assert asked == []
    assert context.organization_id is None
    assert context.query_outcomes == []


def test_users_that_are_not_told_apart_are_in_no_span(
    site: Site, settings: Any
) -> None:
    settings.MONITORING_SETTINGS = {"TRACK_USERS": False}

    assert "user.id" not in attributes(site.span("/logs-in/"))
    (observation,) = site.traces.observed_as("request")
    assert observation.request is not None
    assert observation.request.user_id is None


def test_repeated_queries_are_found(site: Site) -> None:
    context = site.context("/repeats/")

    (finding,) = context.findings
    assert (finding.count, context.query_count) == (5, 5)
    assert finding.code is not None
    assert finding.code[2] == "run"


@pytest.mark.parametrize(
    ("thresholds", "is_found"),
    [
        (Thresholds(n_plus_one_count=5, n_plus_one_duration=0), True),
        (Thresholds(n_plus_one_count=6, n_plus_one_duration=0), False),
        (Thresholds(n_plus_one_count=5, n_plus_one_duration=3_600 * 10**9), False),
    ],
)
def test_queries_are_repeated_when_both_thresholds_are_reached(
    site: Site, thresholds: Thresholds, is_found: bool
) -> None:
    install(site, thresholds=thresholds)

    assert bool(site.context("/repeats/").findings) is is_found


def test_repeated_queries_that_are_expected_are_not_found(site: Site) -> None:
    context = site.context("/repeats-as-expected/")

    assert context.findings == ()
    assert context.query_count == 5


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_a_request_is_known_by_its_method(traces: Traces, method: str) -> None:
    site = Site(traces, is_async=False)
    install(site)
    getattr(Client(), method)("/items/7/")
    requests.uninstrument()
    database.uninstall()

    assert traces.observed_as("request")[0].labels[1] == method.upper()


# --- Streams --------------------------------------------------------------------------


def test_a_stream_lasts_until_it_is_closed(site: Site) -> None:
    address = "/async/streams/" if site.is_async else "/streams/"
    observation = site.observation(address)

    assert observation.duration > 15_000_000
    assert observation.labels == (address, "GET")
    assert observation.request is not None
    assert observation.request.is_finished


def test_queries_of_a_stream_belong_to_its_request(traces: Traces) -> None:
    site = Site(traces, is_async=False)
    install(site)
    context = site.context("/streams/")
    requests.uninstrument()
    database.uninstall()

    assert context.query_count == 4
    assert len(context.findings) == 1
    server = next(each for each in traces.exported if each.kind.name == "SERVER")
    queries = [each for each in traces.exported if each.kind.name == "CLIENT"]
    assert [query.parent for query in queries] == [server.get_span_context()] * 4


@pytest.mark.parametrize("address", ["/breaks-off/", "/async/breaks-off/"])
def test_a_stream_that_breaks_off_under_asgi_is_counted(
    traces: Traces, address: str
) -> None:
    site = Site(traces, is_async=True)
    install(site)
    kept: list[Any] = []

    async def main() -> None:
        response: Any = await AsyncClient().get(address)
        kept.append(response)  # as the traceback of the server's task keeps it
        with pytest.raises(ValueError, match="in the middle"):
            [part async for part in response]

    with warnings.catch_warnings():
        # Django's, of a synchronous iterator under ASGI.
        warnings.simplefilter("ignore")
        asyncio.run(main())
    requests.uninstrument()

    assert len(traces.observed_as("request")) == 1


def test_a_stream_that_is_forgotten_is_counted(traces: Traces) -> None:
    site = Site(traces, is_async=False)
    install(site)
    response: Any = Client().get("/streams/")
    assert traces.observed_as("request") == []
    del response.request, response
    requests.uninstrument()
    database.uninstall()
    gc.collect()

    assert len(traces.observed_as("request")) == 1


def test_closing_a_stream_again_counts_it_once(traces: Traces) -> None:
    site = Site(traces, is_async=False)
    install(site)
    response = site.get("/streams/")
    response.close()
    requests.uninstrument()
    database.uninstall()

    assert len(traces.observed_as("request")) == 1


def test_a_file_is_sent_as_before(site: Site, recwarn: Any) -> None:
    observation = site.observation("/file/")

    assert observation.labels == ("/file/", "GET")


# --- Requests that get no response ----------------------------------------------------


def test_a_cancelled_request_is_no_response_and_leaves_nothing(traces: Traces) -> None:
    site = Site(traces, is_async=True)
    install(site)

    async def main() -> None:
        task = asyncio.create_task(AsyncClient().get("/hangs/"))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    requests.uninstrument()

    assert traces.observed == []
    (span,) = traces.exported
    assert span.name == "GET /hangs/"
    assert attributes(span)["error.type"] == "CancelledError"
    assert span.status.status_code.name == "UNSET"


def test_a_request_ended_by_the_server_is_no_response(traces: Traces) -> None:
    site = Site(traces, is_async=False)
    install(site)
    with pytest.raises(KeyboardInterrupt):
        Client().get("/exits/")
    requests.uninstrument()

    assert traces.observed == []
    assert [attributes(span)["error.type"] for span in traces.exported] == [
        "KeyboardInterrupt"
    ]
    assert current_request.get() is None
    assert not trace.get_current_span().get_span_context().is_valid


# --- What could go wrong --------------------------------------------------------------


@pytest.mark.parametrize("hook", ["request", "response"])
def test_a_failure_of_a_hook_does_not_reach_the_application(
    site: Site, monkeypatch: pytest.MonkeyPatch, hook: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(guard, "reraise", False)
    monkeypatch.setattr(requests.Hooks, hook, fail)

    assert site.get("/items/7/").status_code == 200
    assert guard.report() == {f"requests.{hook}_hook": 1}
    assert len(site.traces.exported) == 1


def test_a_failure_to_start_a_span_does_not_reach_the_application(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "reraise", False)
    monkeypatch.setattr(RequestMiddleware, "_tracer", None)

    assert site.get("/items/7/").status_code == 200
    assert guard.report()["requests.start"] == 1


def test_without_a_span_the_hooks_do_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RequestMiddleware, "_tracer", trace.NoOpTracer())

    assert site.get("/items/7/?a=1").status_code == 200
    assert (site.traces.exported, site.traces.observed) == ((), [])


# --- Joining an instrumentation of the application's own ------------------------------


@pytest.fixture
def theirs(traces: Traces) -> Iterator[list[str]]:
    """Let the application have instrumented Django itself, with hooks of its own."""
    called: list[str] = []
    DjangoInstrumentor().instrument(
        request_hook=lambda span, request: called.append(request.build_absolute_uri()),
        response_hook=lambda span, request, response: called.append("response"),
        tracer_provider=traces.provider,
    )
    yield called
    DjangoInstrumentor().uninstrument()


def test_hooks_of_the_application_are_kept(traces: Traces, theirs: list[str]) -> None:
    site = Site(traces, is_async=False)
    install(site)
    span = site.span("/items/7/")
    requests.uninstrument()
    database.uninstall()

    assert theirs == ["http://testserver/items/7/", "response"]
    assert span.name == "GET /items/<int:pk>/"
    assert len(traces.observed_as("request")) == 1


def test_an_instrumentation_without_hooks_is_joined(traces: Traces) -> None:
    DjangoInstrumentor().instrument(tracer_provider=traces.provider)
    site = Site(traces, is_async=False)
    install(site)
    span = site.span("/items/7/")
    requests.uninstrument()
    database.uninstall()
    assert DjangoInstrumentor().is_instrumented_by_opentelemetry
    DjangoInstrumentor().uninstrument()

    assert attributes(span)["http.route"] == "/items/<int:pk>/"


def collected(reader: InMemoryMetricReader) -> str:
    data = reader.get_metrics_data()
    return "" if data is None else data.to_json()


def test_metrics_of_the_application_are_kept(traces: Traces) -> None:
    reader = InMemoryMetricReader()
    DjangoInstrumentor().instrument(
        tracer_provider=traces.provider, meter_provider=MeterProvider([reader])
    )
    site = Site(traces, is_async=False)
    install(site)
    site.get("/items/7/")
    requests.uninstrument()
    database.uninstall()
    DjangoInstrumentor().uninstrument()

    assert '"http.server.request.duration"' in collected(reader)


def test_where_only_we_have_instrumented_there_is_no_second_duration(
    traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = InMemoryMetricReader()
    monkeypatch.setattr(
        "opentelemetry.metrics._internal._METER_PROVIDER", MeterProvider([reader])
    )
    site = Site(traces, is_async=False)
    install(site)
    site.get("/items/7/")
    requests.uninstrument()
    database.uninstall()

    assert "http.server" not in collected(reader)


def test_uninstrumented_the_applications_own_is_as_it_was(
    traces: Traces, theirs: list[str]
) -> None:
    site = Site(traces, is_async=False)
    install(site)
    assert PATH in django_settings.MIDDLEWARE
    requests.uninstrument()
    database.uninstall()
    assert STOCK in django_settings.MIDDLEWARE
    site.get("/items/7/")

    assert theirs == ["http://testserver/items/7/", "response"]
    (span,) = traces.exported
    assert span.name == "GET items/<int:pk>/"


def test_requests_can_be_traced_by_a_provider_that_is_set_later(
    traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(traces, is_async=False)
    install(site)
    later = tracing(THRESHOLDS)
    later.set_globally(monkeypatch)
    requests.retrace()
    site.get("/items/7/")
    requests.uninstrument()
    database.uninstall()
    requests.retrace()

    assert traces.exported == ()
    (span,) = later.exported
    scope = span.instrumentation_scope
    assert scope is not None
    assert (scope.name, bool(scope.version)) == (DJANGO_SCOPE, True)
    assert len(later.observed_as("request")) == 1


def test_uninstrumented_django_is_as_it_was(traces: Traces) -> None:
    before = list(django_settings.MIDDLEWARE)
    site = Site(traces, is_async=False)
    install(site)
    install(site)
    assert [PATH, *before] == django_settings.MIDDLEWARE
    requests.uninstrument()
    requests.uninstrument()
    database.uninstall()

    assert before == django_settings.MIDDLEWARE
    assert not DjangoInstrumentor().is_instrumented_by_opentelemetry
    site.get("/items/7/")
    assert traces.exported == ()


@pytest.mark.parametrize("names", ["django", "sqlite3, django", "*"])
def test_the_user_may_switch_the_instrumentation_off(
    traces: Traces, monkeypatch: pytest.MonkeyPatch, names: str
) -> None:
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", names)
    site = Site(traces, is_async=False)
    install(site)
    site.get("/items/7/")
    requests.uninstrument()
    database.uninstall()

    assert traces.exported == ()


def test_with_the_stock_middleware_the_same_is_counted(
    traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(django_instrumentor, "_middleware_names", lambda: None)
    site = Site(traces, is_async=False)
    install(site)
    span = site.span("/items/7/")
    site.get("/nowhere/")
    assert STOCK in django_settings.MIDDLEWARE
    requests.uninstrument()
    database.uninstall()

    assert span.name == "GET /items/<int:pk>/"
    labels = [found.labels for found in traces.observed_as("request")]
    assert labels == [("/items/<int:pk>/", "GET"), ("__unresolved__", "GET")]


def test_a_release_that_our_middleware_does_not_fit_keeps_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = "prs_otel.instrumentation.middleware"
    monkeypatch.delattr("prs_otel.instrumentation.middleware")
    monkeypatch.setitem(sys.modules, name, None)

    assert django_instrumentor._middleware_names() is None
