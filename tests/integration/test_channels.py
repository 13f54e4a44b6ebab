"""A served site tells other systems, each in its own way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from alerting.channels.webhook import signature
from tests.support.alertmanager import alertmanager
from tests.support.monitored import quick, status
from tests.support.programs import require
from tests.support.receiver import Receiver, receiver
from tests.support.servers import gunicorn, serving
from tests.support.sites import Site
from tests.support.wait import wait_until

pytestmark = pytest.mark.integration

SECRET = "a-password-nobody-may-read"
SLOW_QUERIES = {
    "name": "slow_queries",
    "metric": "db.client.operation.slow_rate",
    "window": "4s",
    "operator": ">",
    "threshold": {"warning": 0},
}


@pytest.fixture
def receivers() -> Iterator[Callable[[], Receiver]]:
    with ExitStack() as stack:
        yield lambda: stack.enter_context(receiver())


def told(server: Receiver, name: str = "slow_queries") -> list[str]:
    """Return the status (of apprise, the type) of each message about that alert."""
    documents = [request.json() for request in server.requests]
    return [
        each.get("status") or each["type"]
        for each in documents
        if name in (each.get("subject") or each["title"])
    ]


def configured(site: Site, channels: list[dict[str, Any]], **settings: object) -> Site:
    return quick(site, FLUSH_INTERVAL=0.5, SLOW_QUERY_THRESHOLD=0.2).with_settings(
        ALERTING_SETTINGS={
            "EVALUATION_INTERVAL": 1,
            "RULES": [SLOW_QUERIES],
            "CHANNELS": channels,
            **settings,
        }
    )


def test_every_system_hears_that_it_fires_and_that_it_is_over(
    site: Site, tmp_path: Path, receivers: Callable[[], Receiver]
) -> None:
    require("apprise")
    hook, chat, people, switch = (receivers() for _ in range(4))
    (tmp_path / "am").mkdir()
    with alertmanager(tmp_path / "am", webhook=people.origin) as real:
        site = configured(
            site,
            [
                {
                    "type": "webhook",
                    "url": f"http://me:{SECRET}@{hook.host}/?token={SECRET}",
                    "secret": SECRET,
                },
                {
                    "type": "alertmanager",
                    "url": f"http://127.0.0.1:{real.client.port}",
                    "resend_every": 1,
                },
                {"type": "apprise", "url": f"json://{chat.host}/{SECRET}"},
            ],
            DEAD_MANS_SWITCH_URL=f"{switch.origin}/{SECRET}",
        )
        with serving(site, gunicorn(f"--chdir={site.directory}")) as server:

            def hears(path: str, condition: Callable[[], Any]) -> None:
                # Without any query there is no data, which resolves nothing.
                def asked() -> Any:
                    server.client.get(path)
                    return condition()

                wait_until(asked, seconds=30, what=server.process.output)

            hears("/queries/slow/?seconds=0.3", lambda: "firing" in told(hook))
            hears("/queries/slow/?seconds=0.3", lambda: real.alerts("slow_queries"))
            # Longer than it lasts there unless it is pushed again.
            until = time.monotonic() + 6
            hears("/queries/slow/?seconds=0.3", lambda: time.monotonic() > until)
            assert set(real.alerts("slow_queries")) == {"warning"}
            hears("/queries/one/", lambda: "resolved" in told(hook))
            hears("/queries/one/", lambda: not real.alerts("slow_queries"))
            wait_until(lambda: len(told(chat)) == 2)
            wait_until(lambda: switch.requests)
            shown = str(status(site)) + server.process.output()

    assert told(hook) == ["firing", "resolved"]
    first = hook.requests[0]
    signed = signature(SECRET, first.headers["X-Prs-Timestamp"], first.body)
    assert first.headers["X-Prs-Signature"] == f"v1={signed}"
    assert told(chat) == ["warning", "success"]
    assert SECRET not in shown


def test_a_system_that_refuses_is_told_of_to_the_others(
    site: Site, receivers: Callable[[], Receiver]
) -> None:
    gone, sound = receivers(), receivers()
    gone.status = 404
    site = configured(
        site,
        [
            {"type": "webhook", "name": "gone", "url": gone.origin},
            {"type": "webhook", "name": "sound", "url": sound.origin},
        ],
    )
    with serving(site, gunicorn(f"--chdir={site.directory}")) as server:

        def undelivered() -> list[str]:
            server.client.get("/queries/slow/?seconds=0.3")
            return told(sound, "undelivered_alerts")

        wait_until(undelivered, seconds=30, what=server.process.output)

    assert told(sound) == told(sound, "undelivered_alerts") == ["firing"]
    assert told(gone) == ["firing"]
    assert told(gone, "undelivered_alerts") == []
