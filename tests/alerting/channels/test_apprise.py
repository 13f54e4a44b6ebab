from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from alerting.channels import DeliveryError, OptionError, build_channel
from alerting.channels.base import SEND_SECONDS
from tests.support.notices import message, notice, resolution
from tests.support.programs import require
from tests.support.receiver import Receiver, receiver


@pytest.fixture(autouse=True, scope="module")
def _is_installed() -> None:
    require("apprise")


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def told(server: Receiver, *notices: Any) -> Any:
    channel = build_channel({"type": "apprise", "url": f"json://{server.host}/key"})
    channel.send(message(*notices, recipients=channel.recipients()))
    return server.requests[-1].json()


def test_a_message_has_title_text_and_kind(server: Receiver) -> None:
    found = told(server, notice())

    assert found["title"] == "[shop] critical: deals_errors"
    assert "deals_errors: critical (firing)" in found["message"]
    assert found["type"] == "failure"
    assert told(server, resolution())["type"] == "success"


def test_what_an_alert_says_is_no_template_and_has_no_escapes(
    server: Receiver,
) -> None:
    text = r"{{ app_id }} \n {name} <b>"

    assert text in told(server, notice(message=text))["message"]


def test_each_address_is_told_by_itself_and_called_by_scheme_and_number(
    server: Receiver,
) -> None:
    with receiver() as other:
        urls = [f"json://{server.host}/key", f"xml://{other.host}/key"]
        channel = build_channel({"type": "apprise", "name": "chat", "url": urls})
        other.status = 500
        with pytest.raises(DeliveryError) as caught:
            channel.send(message(recipients=channel.recipients()))

    assert (channel.name, channel.recipients()) == ("chat", ("json:1", "xml:2"))
    assert caught.value.accepted == ("json:1",)
    assert str(caught.value) == "xml:2 did not take it"


def test_what_only_looks_like_an_address_is_told_when_it_is_used() -> None:
    channel = build_channel({"type": "apprise", "url": "pigeon://secret"})

    with pytest.raises(DeliveryError, match="is no address that apprise understands"):
        channel.send(message(recipients=channel.recipients()))


@pytest.mark.parametrize("url", [None, [], "", "slack", "slack://", [5], {"a": "b"}])
def test_what_is_no_address_is_refused(url: object) -> None:
    with pytest.raises(OptionError, match=r"write an apprise address such as"):
        build_channel({"type": "apprise", "url": url})


def test_what_others_do_with_apprise_stays_logged(
    server: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told(server, notice())
    before = [record for record in caplog.records if record.name == "apprise"]

    logging.getLogger("apprise").warning("somebody else's")

    assert [r.getMessage() for r in before if "Sent" in r.getMessage()] == []
    assert caplog.records[-1].getMessage() == "somebody else's"


def test_only_a_process_that_sends_imports_it() -> None:
    code = (
        "import sys, django; from django.conf import settings;"
        "settings.configure(ALERTING_SETTINGS={'CHANNELS': "
        "[{'type': 'apprise', 'url': 'json://host'}]});"
        "from alerting import conf; assert conf.problems() == ();"
        "from alerting.channels import build_channels;"
        "[channel] = build_channels(conf.current().channels);"
        "assert channel.unavailable() == '';"
        "sys.exit('apprise' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], timeout=60, check=False)

    assert done.returncode == 0


def test_who_would_have_to_wait_too_long_is_left_for_another_attempt(
    server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = [f"json://{server.host}/key", f"xml://{server.host}/key"]
    channel = build_channel({"type": "apprise", "url": urls})
    times = iter([0.0, 1.0, SEND_SECONDS + 1])
    monkeypatch.setattr(channel, "_clock", lambda: next(times))

    with pytest.raises(DeliveryError, match="xml:2 had to wait") as caught:
        channel.send(message(recipients=channel.recipients()))

    assert caught.value.accepted == ("json:1",)


def test_what_a_plugin_raises_is_told_by_its_kind(
    server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    import apprise

    def broken(self: object, url: str) -> bool:
        raise LookupError(url)

    monkeypatch.setattr(apprise.Apprise, "add", broken)

    with pytest.raises(DeliveryError, match=r"^json:1 raised LookupError$"):
        told(server, notice())
