"""Several hosts on one database, and more alerts at once than anybody can read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

from tests.support.alerted import (
    TRAFFIC,
    alerted,
    evaluate_more,
    evaluated,
    heard,
    impatient,
    leader,
    published,
    webhook,
)
from tests.support.receiver import Receiver, receiver
from tests.support.servers import Server, serving
from tests.support.sites import Site
from tests.support.wait import wait_until

pytestmark = pytest.mark.integration

PRESENCE: Final = {"alerting.presence.RENEWAL": 1.0}
"""Evaluators look for each other every second, in place of every minute."""

DIGEST: Final = {"alerting.notifications.digest.DIGEST_WAIT": 3.0}
"""It gathers for three seconds, in place of a minute."""
ALERTS_AN_HOUR: Final = 10
STATEMENTS: Final = 10_000
WATCHED: Final = 1_000
GROWTH: Final = 160_000_000
BY_STATEMENT: Final[dict[str, Any]] = {
    "name": "statements",
    "metric": "db.client.operation.count",
    "aggregation": "count",
    "by": ["prs.db.query.fingerprint"],
    "window": "10m",
    "operator": ">",
    "threshold": {"warning": 0},
}


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def beside(site: Site, name: str) -> Site:
    """Return the site of another host: own store and files, the same database."""
    directory = site.directory / name
    directory.mkdir()
    shared = {"default": sqlite(site.directory / "default.sqlite3")}
    other = {"other": sqlite(directory / "other.sqlite3")}
    return replace(site, directory=directory).with_settings(
        DATABASES={**shared, **other}
    )


def sqlite(file: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(file),
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL",
        },
    }


def test_hosts_on_one_database_leave_each_others_alerts_alone(
    site: Site, hook: Receiver
) -> None:
    rule = {**TRAFFIC, "by": [], "window": "5s", "no_data": "ok"}
    web1, web2 = (
        alerted(beside(site, name), [webhook(hook)], rules=[rule])
        for name in ("web1", "web2")
    )
    with ExitStack() as stack:

        def served(each: Site) -> Server:
            command = impatient(each, host=each.directory.name, constants=PRESENCE)
            return stack.enter_context(serving(each, command))

        busy, idle = served(web1), served(web2)
        wait_until(lambda: evaluated(web2), what=idle.process.output)

        def seen() -> bool:
            busy.client.get("/plain/")
            return bool(heard(hook))

        wait_until(seen, every=0.2)
        # The other evaluates meanwhile, and for it nothing is wrong.
        since = evaluated(web2)

        def alongside() -> bool:
            busy.client.get("/plain/")
            return evaluated(web2) > since + 4

        wait_until(alongside, every=0.2)
        assert by_host(hook) == [("firing", "web1")]

        # Each fires and resolves by itself.
        idle.client.get("/plain/")
        wait_until(lambda: ("firing", "web2") in by_host(hook))
        wait_until(lambda: ("resolved", "web1") in by_host(hook))
        wait_until(lambda: ("resolved", "web2") in by_host(hook))
        evaluate_more(web1)

    assert sorted(by_host(hook)) == [
        (status, host) for status in ("firing", "resolved") for host in ("web1", "web2")
    ]


def by_host(hook: Receiver) -> list[tuple[str, str]]:
    """Return status and host of each alert that was told, in order."""
    return [
        (alert["status"], alert["labels"]["host.name"])
        for request in hook.requests
        for alert in request.json()["alerts"]
    ]


def test_ten_thousand_alerts_at_once_are_ten_messages_and_one_digest(
    site: Site, hook: Receiver
) -> None:
    site = alerted(
        site,
        [webhook(hook)],
        rules=[BY_STATEMENT],
        measuring={"SERIES_LIMIT": 2 * STATEMENTS},
    )
    with serving(site, impatient(site, workers=1, constants=DIGEST)) as server:
        wait_until(lambda: evaluated(site), what=server.process.output)
        process = psutil.Process(leader(site))
        before = process.memory_info().rss

        server.client.get(f"/queries/distinct/0/?count={STATEMENTS}")

        wait_until(lambda: digests(hook), seconds=60, what=server.process.output)
        evaluate_more(site)
        [rule] = [r for r in published(site).rules if r.name == "statements"]
        assert process.memory_info().rss - before < GROWTH

    assert rule.health == "ok"
    assert rule.series == WATCHED
    assert rule.dropped == STATEMENTS - WATCHED
    assert len(hook.requests) == ALERTS_AN_HOUR + 1
    [digest] = digests(hook)
    assert digest["total"] == WATCHED - ALERTS_AN_HOUR


def digests(hook: Receiver) -> list[dict[str, Any]]:
    return [d for r in hook.requests if (d := r.json())["is_digest"]]
