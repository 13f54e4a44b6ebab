"""Whatever alerting leans on may fail: the database, a mail server, the very mailer."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

import django
import psycopg
import pytest

from tests.support.alerted import (
    alerted,
    evaluate_more,
    evaluated,
    heard,
    impatient,
    mailing,
    published,
    webhook,
)
from tests.support.monitored import status
from tests.support.postgres import USER, Cluster, cluster
from tests.support.receiver import Receiver, receiver
from tests.support.servers import serving
from tests.support.sites import Site
from tests.support.smtp import Mailbox, mail_server
from tests.support.wait import wait_until

pytestmark = pytest.mark.integration

SOON: Final = {"alerting.notifications.outcome.FIRST_WAIT": 1.0}
"""An attempt is repeated within a second, in place of ten."""
ALICE, BOB = "alice@example.org", "bob@example.org"
INTERVAL: Final = 4
MEASURED: Final = 3.0
"""Seconds until what has happened is measured, and for the message after its evaluation."""
NEVER: Final[dict[str, object]] = {
    "API_ERROR_RATE_WARNING_THRESHOLD": 99,
    "API_ERROR_RATE_CRITICAL_THRESHOLD": 100,
}
"""The built-in rule stays out of it."""
ERRORS: Final[dict[str, Any]] = {
    "name": "errors",
    "metric": "http.server.request.error_rate",
    "window": "10s",
    "no_data": "ok",
    "operator": ">",
    "threshold": {"critical": 0.5},
}


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as found:
        yield found


@pytest.fixture
def database() -> Iterator[Cluster]:
    with cluster() as found:
        yield found


def connected(database: Cluster, site: Site) -> Site:
    """Return the site, migrated, on that database."""
    other = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    found = site.with_settings(DATABASES={"default": database.database, "other": other})
    quiet = found.with_settings(MONITORING_SETTINGS={"ENABLED": False})
    quiet.manage("migrate", "--run-syncdb", "--verbosity=0")
    return found


def history(database: Cluster) -> dict[str, list[tuple[str, ...]]]:
    """Return alerts, steps and deliveries as they are in the database."""
    columns = {
        "alert": "name, state",
        "alerttransition": "kind",
        "delivery": "kind, state",
    }
    with psycopg.connect(
        host=str(database.directory), dbname="postgres", user=USER
    ) as connection:
        return {
            table: connection.execute(
                f"SELECT {found} FROM prs_alerting_{table} ORDER BY 1"
            ).fetchall()
            for table, found in columns.items()
        }


def test_without_its_database_an_alert_is_told_at_once_and_recorded_later(
    site: Site, hook: Receiver, database: Cluster
) -> None:
    site = connected(database, site)
    site = alerted(
        site,
        [webhook(hook)],
        rules=[ERRORS],
        measuring=NEVER,
        EVALUATION_INTERVAL=INTERVAL,
    )
    # That the database cannot be reached is reported.
    with serving(site, impatient(site), may_fail=True) as server:
        server.client.get_all(["/queries/one/"] * 10)
        wait_until(lambda: evaluated(site), what=server.process.output)

        database.stop()
        answers = server.client.get_all(["/queries/one/"] * 40)
        assert answers == {("/queries/one/", 500): 40}
        wait_until(lambda: heard(hook), seconds=2 * INTERVAL + MEASURED)
        during = published(site).history

        database.start()

        def is_over() -> bool:
            server.client.get("/queries/one/")
            return heard(hook)["resolved", "errors"] > 0

        wait_until(is_over, seconds=30, every=0.2, what=server.process.output)
        wait_until(lambda: ("resolved", "sent") in history(database)["delivery"])

    assert during is not None
    assert not during.is_database_used
    assert heard(hook) == {("firing", "errors"): 1, ("resolved", "errors"): 1}
    assert history(database) == {
        "alert": [("errors", "resolved")],
        "alerttransition": [("firing",), ("resolved",)],
        "delivery": [("firing", "sent"), ("resolved", "sent")],
    }


def test_while_its_database_hangs_alerting_goes_on_as_without_it(
    site: Site, hook: Receiver, database: Cluster
) -> None:
    site = connected(database, site)
    site = alerted(
        site,
        [webhook(hook)],
        rules=[ERRORS],
        measuring=NEVER,
        EVALUATION_INTERVAL=INTERVAL,
    )
    quick = impatient(site, constants={"alerting.database.PATIENCE": 1.0})
    with serving(site, quick, may_fail=True) as server:
        server.client.get_all(["/queries/one/"] * 10)
        wait_until(lambda: evaluated(site), what=server.process.output)

        with database.frozen():
            # It needs no database, which would hang with it.
            server.client.get_all(["/fails/"] * 40)
            wait_until(lambda: heard(hook), seconds=2 * INTERVAL + MEASURED + 3)
            during = published(site)
            evaluate_more(site)

        def is_over() -> bool:
            server.client.get("/queries/one/")
            return heard(hook)["resolved", "errors"] > 0

        wait_until(is_over, seconds=30, every=0.2, what=server.process.output)
        wait_until(lambda: ("resolved", "sent") in history(database)["delivery"])

    assert during.history is not None
    assert not during.history.is_database_used
    assert "has not answered" in during.history.last_error
    assert heard(hook) == {("firing", "errors"): 1, ("resolved", "errors"): 1}
    assert history(database) == {
        "alert": [("errors", "resolved")],
        "alerttransition": [("firing",), ("resolved",)],
        "delivery": [("firing", "sent"), ("resolved", "sent")],
    }


def told(mailbox: Mailbox) -> Counter[tuple[str, str]]:
    """Return how often which mail (by its subject) has been taken for whom."""
    return Counter(
        (address, str(mail["Subject"]))
        for mail in mailbox.mails
        for address in str(mail["To"]).split(", ")
    )


def email(site: Site) -> str:
    """Return how the channel does, "" before anybody has looked."""
    found = {channel.name: channel.health for channel in published(site).channels}
    return found.get("email", "")


def refuses(mailbox: Mailbox) -> None:
    mailbox.replies["GREETING"] = "421 try again later"


def hangs(mailbox: Mailbox) -> None:
    mailbox.hangs = threading.Event()


@pytest.mark.parametrize("harm", [refuses, hangs])
def test_a_mail_server_in_trouble_is_tried_until_it_is_well(
    site: Site, mailbox: Mailbox, hook: Receiver, harm: Callable[[Mailbox], None]
) -> None:
    harm(mailbox)
    site = mailing(alerted(site, ["email", webhook(hook)]), mailbox, timeout=1.0)

    with serving(site, impatient(site, constants=SOON)) as server:
        server.client.get("/plain/")
        wait_until(lambda: email(site) == "error", what=server.process.output)
        wait_until(lambda: heard(hook)["firing", "/plain/"])
        mailbox.replies.clear()
        mailbox.recovers()

        wait_until(lambda: email(site) == "ok", what=server.process.output)
        evaluate_more(site)

    assert len(mailbox.mails) == 1
    assert {address for address, _ in told(mailbox)} == {ALICE, BOB}
    assert heard(hook) == {("firing", "/plain/"): 1}


def test_who_has_taken_a_mail_does_not_get_it_again_with_who_had_refused(
    site: Site, mailbox: Mailbox
) -> None:
    mailbox.refused[BOB] = "450 mailbox busy"
    site = mailing(alerted(site, ["email"]), mailbox)

    with serving(site, impatient(site, constants=SOON)) as server:
        server.client.get("/plain/")
        wait_until(lambda: email(site) == "error", what=server.process.output)
        assert set(mailbox.recipients) == {ALICE}
        mailbox.refused.clear()

        wait_until(lambda: email(site) == "ok", what=server.process.output)
        evaluate_more(site)

    assert mailbox.recipients == [ALICE, BOB]
    assert len({mail["Message-ID"] for mail in mailbox.mails}) == 1


def test_without_any_mailer_the_channel_says_so_and_the_others_deliver(
    site: Site, hook: Receiver
) -> None:
    site = alerted(site, ["email", webhook(hook)])
    if django.VERSION >= (6, 1):
        site = site.with_settings(MAILERS={})
    else:
        site = site.with_settings(EMAIL_BACKEND="nowhere.EmailBackend")

    with serving(site, impatient(site)) as server:
        server.client.get("/plain/")
        wait_until(lambda: heard(hook)["firing", "/plain/"])
        evaluate_more(site, times=1)
        shown = {each["name"]: each for each in status(site)["alerting"]["channels"]}

    assert shown["webhook"]["health"] == "ok"
    assert shown["email"]["health"] == "skipped"
    assert "mailer" in shown["email"]["last_error"] or (
        "mail backend" in shown["email"]["last_error"]
    )
    assert server.failures() == []
