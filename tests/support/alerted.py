"""A served site that alerts: set up to be quick, and asked what it has evaluated and told."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from types import MappingProxyType
from typing import Any, Final

import django

from alerting.report import STATUS
from alerting.status import Status
from prs_otel.store import Store, open_store
from tests.support.mailing import SMTP
from tests.support.monitored import quick
from tests.support.receiver import Receiver
from tests.support.servers import gunicorn
from tests.support.sites import Site
from tests.support.smtp import Mailbox
from tests.support.wait import wait_until

TRAFFIC: Final[dict[str, Any]] = {
    "name": "traffic",
    "metric": "http.server.request.count",
    "aggregation": "count",
    "by": ["http.route"],
    "window": "10m",
    "operator": ">",
    "threshold": {"warning": 0},
}
"""Every endpoint that has been asked for is an alert of its own, and stays one."""

_HOOK: Final = """
import socket
from importlib import import_module

if {host!r}:
    socket.gethostname = lambda: {host!r}

def post_worker_init(worker):
    for path, value in {constants!r}.items():
        module, _, name = path.rpartition(".")
        setattr(import_module(module), name, value)
    exec({also!r}, {{}})
"""


def alerted(
    site: Site,
    channels: Sequence[str | dict[str, Any]],
    *,
    rules: Sequence[dict[str, Any]] = (TRAFFIC,),
    measuring: dict[str, object] | None = None,
    **settings: object,
) -> Site:
    """Return the site with these channels and rules; evaluated every second."""
    return quick(site, **{"FLUSH_INTERVAL": 0.5, **(measuring or {})}).with_settings(
        ALERTING_SETTINGS={
            "EVALUATION_INTERVAL": 1,
            "EMAIL_BATCH_SIZE": 1,
            "RULES": list(rules),
            "CHANNELS": list(channels),
            **settings,
        }
    )


def mailing(site: Site, mailbox: Mailbox, *, timeout: float = 10.0) -> Site:
    """Return the site with that mail server, which it gives so many seconds for a step."""
    options = {"host": "127.0.0.1", "port": mailbox.port, "timeout": timeout}
    if django.VERSION >= (6, 1):
        mailer = {"BACKEND": SMTP, "OPTIONS": options}
        return site.with_settings(MAILERS={"default": mailer})
    named = {f"EMAIL_{name.upper()}": value for name, value in options.items()}
    return site.with_settings(EMAIL_BACKEND=SMTP, **named)


def webhook(receiver: Receiver, **options: object) -> dict[str, Any]:
    """Return the entry in `CHANNELS` for that receiver."""
    return {"type": "webhook", "url": receiver.origin, **options}


def impatient(
    site: Site,
    *options: str,
    workers: int = 2,
    host: str = "",
    also: str = "",
    constants: Mapping[str, float] = MappingProxyType({}),
) -> list[str]:
    """Return the command that serves the site, on `host`, by a gunicorn that never tires.

    `constants` are put in place of those of our modules, by their dotted paths: to wait for
    as long as a project would is not what a test is about. `also` is code that each worker
    runs.
    """
    config = site.directory / "gunicorn.conf.py"
    config.write_text(_HOOK.format(host=host, constants=dict(constants), also=also))
    # A worker that is stopped is none that gunicorn should replace.
    patient = ("-c", str(config), "--timeout=120")
    return gunicorn(*patient, *options, workers=workers)


@contextmanager
def store_of(site: Site) -> Iterator[Store]:
    """Open the store of a `quick` site."""
    settings: Any = site.settings["MONITORING_SETTINGS"]
    with closing(open_store(settings["STORE"])) as store:
        yield store


def leader(site: Site) -> int:
    """Return the process that holds the lease, 0 while nobody does."""
    with store_of(site) as store, store.reading() as reader:
        lease = reader.lease("leader")
    return lease.pid if lease is not None else 0


def published(site: Site) -> Status:
    """Return the status as its evaluator has published it."""
    with store_of(site) as store:
        document = store.get(STATUS)
    return Status.model_validate_json(document) if document else Status()


def evaluated(site: Site) -> float:
    """Return when the last evaluation was (epoch seconds), 0 before the first."""
    evaluator = published(site).evaluator
    return evaluator.last_evaluation_at.timestamp() if evaluator else 0.0


def evaluate_more(site: Site, *, times: int = 3) -> None:
    """Wait until somebody has evaluated so many times more."""
    for _ in range(times):
        before = evaluated(site)
        wait_until(lambda: evaluated(site) > before, what="another evaluation")  # noqa: B023 - called at once


def recorded(site: Site) -> list[str]:
    """Return the route of every alert in the site's SQLite database."""
    file = site.directory / "default.sqlite3"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        rows = connection.execute(
            "SELECT labels FROM prs_alerting_alert ORDER BY fired_at"
        )
        return [json.loads(labels).get("http.route", "") for (labels,) in rows]


def heard(receiver: Receiver) -> Counter[tuple[str, str]]:
    """Return how often a receiver was told what: status and route (or name) of each alert."""
    return Counter(
        (alert["status"], alert["labels"].get("http.route", alert["name"]))
        for request in receiver.requests
        for alert in request.json()["alerts"]
    )
