"""Whatever becomes of the process that alerts: what it had to tell is told, and once."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Final

import pytest

from tests.support.alerted import (
    alerted,
    evaluate_more,
    heard,
    impatient,
    leader,
    mailing,
    recorded,
    webhook,
)
from tests.support.receiver import Receiver, receiver
from tests.support.servers import serving
from tests.support.sites import Site
from tests.support.smtp import mail_server
from tests.support.wait import wait_until

pytestmark = pytest.mark.integration

SOON: Final = {
    "alerting.outbox.outbox.CLAIM_SECONDS": 4.0,
    "alerting.sender.MARGIN": 1.0,
    "prs_otel.leader.LEASE_TTL": 3.0,
}
"""In place of two minutes, half a minute and ten seconds."""


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def told_once(*routes: str) -> Counter[tuple[str, str]]:
    return Counter(("firing", route) for route in routes)


def succeeded(site: Site, first: int) -> int:
    """Wait until another process leads, and return which."""
    return wait_until(lambda: leader(site) not in {0, first} and leader(site))


def test_what_a_killed_evaluator_had_not_sent_is_sent_once_by_its_successor(
    site: Site, hook: Receiver
) -> None:
    hook.deaf = threading.Event()
    site = alerted(site, [webhook(hook)])

    with serving(site, impatient(site, constants=SOON)) as server:
        server.client.get("/plain/")
        wait_until(lambda: hook.knocks, what=server.process.output)
        # One alert is on its way and not yet taken. The next is written down only.
        server.client.get("/queries/one/")
        wait_until(lambda: "/queries/one/" in recorded(site))
        first = leader(site)
        os.kill(first, signal.SIGKILL)
        hook.recovers()

        succeeded(site, first)
        both = told_once("/plain/", "/queries/one/")
        wait_until(lambda: heard(hook) == both, what=lambda: str(heard(hook)))
        evaluate_more(site)

    assert heard(hook) == both


def test_what_a_webhook_has_taken_from_a_killed_evaluator_comes_again_as_the_same(
    site: Site, hook: Receiver
) -> None:
    hook.hangs = threading.Event()
    site = alerted(site, [webhook(hook)])

    with serving(site, impatient(site, constants=SOON)) as server:
        server.client.get("/plain/")
        wait_until(lambda: hook.requests, what=server.process.output)
        first = leader(site)
        os.kill(first, signal.SIGKILL)
        hook.recovers()

        succeeded(site, first)
        wait_until(lambda: len(hook.requests) > 1)
        evaluate_more(site)

    # Nobody can know that it was taken, so it is told again; the receiver can.
    assert len(hook.requests) == 2
    assert len({request.headers["Idempotency-Key"] for request in hook.requests}) == 1
    assert len({request.body for request in hook.requests}) == 1


def test_a_mail_taken_from_a_killed_evaluator_comes_again_under_the_same_id(
    site: Site,
) -> None:
    with mail_server() as mailbox:
        mailbox.mute = threading.Event()
        site = mailing(alerted(site, ["email"]), mailbox)
        with serving(site, impatient(site, constants=SOON)) as server:
            server.client.get("/plain/")
            wait_until(lambda: mailbox.mails, what=server.process.output)
            first = leader(site)
            os.kill(first, signal.SIGKILL)
            mailbox.recovers()

            succeeded(site, first)
            wait_until(lambda: len(mailbox.mails) > 1)
            evaluate_more(site)

    assert len(mailbox.mails) == 2
    assert len({mail["Message-ID"] for mail in mailbox.mails}) == 1


def test_a_leader_that_was_frozen_while_it_sent_tells_nothing_twice(
    site: Site, hook: Receiver
) -> None:
    hook.deaf = threading.Event()
    site = alerted(site, [webhook(hook)])

    with serving(site, impatient(site, constants=SOON)) as server:
        server.client.get("/plain/")
        wait_until(lambda: hook.knocks, what=server.process.output)
        frozen = leader(site)
        os.kill(frozen, signal.SIGSTOP)
        hook.recovers()
        server.client.get("/queries/one/")
        second = succeeded(site, frozen)
        both = told_once("/plain/", "/queries/one/")
        wait_until(lambda: heard(hook) == both, what=lambda: str(heard(hook)))

        os.kill(frozen, signal.SIGCONT)
        evaluate_more(site)
        server.client.get("/cached/")
        wait_until(lambda: heard(hook)["firing", "/cached/"])
        evaluate_more(site)

        assert leader(site) == second
        assert frozen in server.workers()
    assert heard(hook) == both + told_once("/cached/")
