from __future__ import annotations

from alerting.channels.availability import why_unavailable
from tests.support.alerting_world import FakeChannel


class BrokenChannel(FakeChannel):
    def unavailable(self) -> str:
        raise LookupError("https://user:secret@example.org")


def test_a_channel_that_can_be_used_has_no_reason() -> None:
    assert why_unavailable(FakeChannel()) == ""


def test_a_channel_says_itself_why_it_cannot_be_used() -> None:
    assert why_unavailable(FakeChannel(reason="no address")) == "no address"


def test_a_reason_is_fit_for_any_database() -> None:
    assert "\x00" not in why_unavailable(FakeChannel(reason="no\x00address"))


def test_a_channel_that_fails_to_say_cannot_be_used_and_keeps_its_secrets() -> None:
    assert why_unavailable(BrokenChannel()) == "unavailable() raised LookupError"
