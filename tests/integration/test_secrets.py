"""What a client tells the application, and the application the database, goes no further.

A mail address, a card number and a token, different ones for each place, are sent through a
real server on PostgreSQL with everything switched on, and then looked for in all that leaves.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

import pytest

from prs_otel.management.subcommands import SUBCOMMANDS
from tests.support import openapi, people, plants
from tests.support.collector import Collector, collecting
from tests.support.http import Client
from tests.support.plants import Plant
from tests.support.postgres import postgres
from tests.support.servers import gunicorn, serving, uvicorn
from tests.support.sites import Site
from tests.support.wait import wait_until

pytestmark = pytest.mark.timeout(240)

ROUTE: Final = "/planted/<str:word>/"
RULE: Final = "slow_queries_of_a_test"

# Where the view puts each text of the body it is sent.
IN_BODY: Final = [
    *("parameter", "literal", "number", "comment", "cursor", "dollar", "escaped"),
    *("loop", "many", "message", "bound", "key", "cached", "missed", "recorded"),
    *("endpoint", "argument", "unused"),
]
IN_HEADERS: Final = {
    "Authorization": "Bearer {}",
    "Cookie": "sessionid={0}; other={0}",
    "Referer": "https://shop.example/?mail={}",
    "User-Agent": "Mozilla/5.0 ({})",
    "X-Forwarded-For": "{}",
    "X-Request-Id": "{}",
    "X-CSRFToken": "{}",
    "tracestate": "shop={}",
    "baggage": "mail={}",
}
# Those of our commands that change something, or go on until somebody ends them.
NOT_RUN: Final = {"cleanup", "reset-counters", "test-alert", "token", "top"}
# What some endpoints have to be asked about.
ASKED: Final = {"/api/alerting/explain/": f"?rule={RULE}"}
ARGUMENTS: Final[dict[str, list[str]]] = {
    "explain": ["--rule-name", RULE],
    "export-metrics": ["--output-file", "-"],
}

ALERTING: Final[dict[str, Any]] = {
    "EVALUATION_INTERVAL": 1,
    "EMAIL_BATCH_SIZE": 1,
    "CHANNELS": ["email", "log", "console"],
    "RULES": [
        {
            "name": RULE,
            "metric": "db.client.operation.slow_rate",
            "window": "1m",
            "operator": ">",
            "threshold": {"critical": 0.001},
            "min_count": 12,
            "for": "0s",
        }
    ],
}
# Ours alone: what Django logs of a failed request is the application's own affair.
LOGGING: Final[dict[str, Any]] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {"django": {"handlers": [], "level": "CRITICAL", "propagate": False}},
    "root": {"handlers": ["console"], "level": "INFO"},
}


def planted(name: str) -> Plant:
    return Plant(name.lower().replace("-", "").replace("_", ""))


BODY: Final = {name: planted(f"body_{name}") for name in IN_BODY}
HEADERS: Final = {name: planted(f"header_{name}") for name in IN_HEADERS}
OTHERS: Final = {
    name: planted(name)
    for name in (
        *("query", "query_name", "path", "unresolved", "refused", "refused_later"),
        *("method", "api_query", "api_path", "api_token", "user_name"),
    )
}
EVERY: Final = [*BODY.values(), *HEADERS.values(), *OTHERS.values()]


@dataclass(frozen=True)
class Planted:
    """A site that was sent all of it, and where its spans went."""

    site: Site
    collector: Collector
    client: Client
    staff: Mapping[str, str]
    log: Callable[[], str]

    @property
    def exported(self) -> str:
        return b"\n".join(self.collector.bodies).decode(errors="replace")

    @property
    def mails(self) -> str:
        return "\n".join(map(plants.mail_text, self.site.mails()))

    def answers(self) -> dict[str, str]:
        """Return what every endpoint that can be read says to a superuser."""
        found = {}
        for operation in openapi.operations(self.client, self.staff):
            if operation.is_safe:
                path = f"{operation.path}{ASKED.get(operation.path, '')}"
                response = self.client.get(path, **self.staff)
                assert response.status == 200, (operation, response.text)
                found[str(operation)] = response.text
        return found


@pytest.fixture(scope="module", params=["gunicorn", "uvicorn"])
def sent(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Planted]:
    """Serve the site, plant everything, and wait until every channel has told it."""
    directory = tmp_path_factory.mktemp(request.param)
    command = gunicorn() if request.param == "gunicorn" else uvicorn("--no-access-log")
    with postgres() as database, collecting() as collector:
        site = prepared(Site(directory), database)
        staff = people.made(site, "root:is_staff,is_superuser")["root"].bearer
        exporting = site.with_environment(
            **collector.variables(),
            OTEL_METRIC_EXPORT_INTERVAL="1000",
        ).with_environment(OTEL_METRICS_EXPORTER="otlp")
        with serving(exporting, command) as server:
            plant(server.client)
            log = server.process.output
            # Each channel delivers in its own time: the mail is not always the last.
            wait_until(site.mails, seconds=30, what=log)
            wait_until(lambda: RULE in log(), seconds=30, what=log)
            collector.wait_for(8, kind="SERVER")
            yield Planted(exporting, collector, server.client, staff, log)


def prepared(site: Site, database: dict[str, object]) -> Site:
    other = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    found = site.with_settings(
        ALERTING_SETTINGS=ALERTING,
        DATABASES={"default": database, "other": other},
        LOGGING=LOGGING,
        MONITORING_SETTINGS={
            "FLUSH_INTERVAL": 1,
            "SYSTEM_METRICS_INTERVAL": 1,
            "SCRAPE_ENDPOINT": True,
            "SLOW_QUERY_THRESHOLD": 0,
            "SLOW_API_THRESHOLD": 0,
            "N_PLUS_ONE_MIN_DURATION": 0,
            "STORE": f"sqlite:///{store(site)}",
        },
    )
    quiet = found.with_settings(MONITORING_SETTINGS={"ENABLED": False})
    quiet.manage("migrate", "--run-syncdb", "--verbosity=0")
    quiet.manage("seed")
    return found


def store(site: Site) -> Path:
    return site.directory / "store" / "store.sqlite3"


def plant(client: Client) -> None:
    """Send each text once, in the way that its name says."""
    text = {name: one.text for name, one in OTHERS.items()}
    body = json.dumps({name: one.text for name, one in BODY.items()}).encode()
    query = urlencode({"q": text["query"], text["query_name"]: ""})
    address = f"/planted/{quote(text['path'])}/?{query}"
    headers = {
        name: form.format(HEADERS[name].text) for name, form in IN_HEADERS.items()
    }
    # One that is not well formed would be quoted by OpenTelemetry's own warning.
    headers["baggage"] = quote(headers["baggage"], safe="=")
    answer = client.send("POST", address, body=body, headers=headers)
    assert (answer.status, answer.text) == (200, "planted"), answer.text
    for name in ("refused", "refused_later"):
        address = f"/planted/word/{name.replace('_', '-')}/"
        assert client.send("POST", address, body=text[name].encode()).status == 500
    assert client.get(f"/nowhere/{quote(text['unresolved'])}/").status == 404
    method = OTHERS["method"].needles[0].upper()
    client.send(method, "/plain/")
    plant_in_the_api(client, text)


def plant_in_the_api(client: Client, text: Mapping[str, str]) -> None:
    base = "/api/monitoring/"
    token = {"Authorization": f"Bearer prs_0123456789_{text['api_token']}"}
    assert client.get(f"{base}system/metrics/", **token).status == 401
    client.get(f"{base}system/health/?ready={quote(text['api_query'])}")
    assert client.get(f"{base}{quote(text['api_path'])}/").status == 404


def test_no_answer_of_the_api_tells_any_of_it(sent: Planted) -> None:
    answers = sent.answers()

    assert ROUTE in answers["GET /api/monitoring/performance/summary/"]
    assert "pg_sleep" in answers["GET /api/monitoring/database/slow-queries/"]
    assert RULE in answers["GET /api/alerting/history/"]
    assert ROUTE in answers["GET /api/monitoring/metrics/"]
    told = {name: plants.found(EVERY, text) for name, text in answers.items()}
    assert {name: found for name, found in told.items() if found} == {}


def test_no_log_line_of_ours_tells_any_of_it(sent: Planted) -> None:
    assert RULE in sent.log()
    assert "event=slow_request" in sent.log()
    assert ROUTE in sent.log()
    assert "pg_sleep" in sent.log()
    assert plants.found(EVERY, sent.log()) == set()


def test_no_exported_span_tells_any_of_it(sent: Planted) -> None:
    assert ROUTE in sent.exported
    assert "pg_sleep" in sent.exported
    assert "psycopg.errors.InvalidTextRepresentation" in sent.exported
    assert plants.found(EVERY, sent.exported) == set()


def test_no_file_of_the_store_holds_any_of_it(sent: Planted) -> None:
    text = plants.store_text(store(sent.site))

    assert ROUTE in text
    assert "pg_sleep" in text
    assert plants.found(EVERY, text) == set()


def test_no_mail_tells_any_of_it(sent: Planted) -> None:
    assert RULE in sent.mails
    assert "SELECT" in sent.mails
    assert "library/planted.py" in sent.mails
    assert plants.found(EVERY, sent.mails) == set()


@pytest.mark.parametrize("name", sorted({each.name for each in SUBCOMMANDS} - NOT_RUN))
def test_no_command_prints_any_of_it(sent: Planted, name: str) -> None:
    command = ["manage_monitoring", name, *ARGUMENTS.get(name, [])]
    done = sent.site.manage(*command, is_checked=False)

    assert done.returncode in {0, 1, 2}, done.stderr
    assert done.stdout
    assert plants.found(EVERY, done.stdout + done.stderr) == set()
