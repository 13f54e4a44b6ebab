from __future__ import annotations

import pytest

from alerting.channels import (
    ChannelEntry,
    DeliveryError,
    OptionError,
    build_channel,
    build_channels,
)
from alerting.channels.base import Resending
from tests.support.alerting_world import FakeChannel

FAKE = f"{FakeChannel.__module__}.FakeChannel"
HOOK = {"type": "webhook", "url": "https://example.org/hook"}


def test_a_built_in_channel_goes_by_its_name() -> None:
    assert [c.name for c in build_channels(["email", "log", "console"])] == [
        "email",
        "log",
        "console",
    ]


def test_each_channel_is_built_once() -> None:
    assert len(build_channels(["log", "log"])) == 1


def test_a_channel_of_ones_own_goes_by_its_path() -> None:
    assert isinstance(build_channel(FAKE), FakeChannel)


def test_a_channel_of_ones_own_is_handed_what_its_mapping_says() -> None:
    channel = build_channel({"type": FAKE, "name": "mine", "reason": "none"})

    assert isinstance(channel, FakeChannel)
    assert (channel.name, channel.reason) == ("mine", "none")
    assert build_channel({"type": FAKE}).name == "fake"


def test_several_of_one_type_are_told_apart_by_their_names() -> None:
    built = build_channels([HOOK, {**HOOK, "name": "ops-hook"}, HOOK])

    assert [channel.name for channel in built] == ["webhook", "ops-hook"]


def test_only_what_says_so_is_told_again_and_again() -> None:
    assert not isinstance(build_channel(HOOK), Resending)
    assert isinstance(
        build_channel({"type": "alertmanager", "url": "http://am"}), Resending
    )


def test_what_does_not_exist_cannot_be_built() -> None:
    with pytest.raises(ImportError):
        build_channel("pigeon")


@pytest.mark.parametrize("path", ["collections.OrderedDict", "math.pi"])
def test_what_is_no_channel_is_refused(path: str) -> None:
    with pytest.raises(TypeError, match="is no channel: it has no name"):
        build_channel(path)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (5, "it is of type int"),
        ({}, "'type' is missing; write 'alertmanager', "),
        ({"type": 5}, "'type' is missing; write 'alertmanager', "),
        ({"type": "log", "name": "a b"}, "'name' cannot be 'a b'; write up to 64 "),
        ({"type": "log", "name": ""}, "'name' cannot be ''; write up to 64 letters"),
        ({"type": "log", "name": "x" * 65}, "write up to 64 letters"),
        ("webhook", "'url' is missing; write an address such as 'https://host/path'"),
        ({"type": "webhook", "url": "hidden"}, "'url' cannot be what it is (str); wri"),
        (
            {**HOOK, "secret": "hidden"},
            "'secret' cannot be what it is (str); write a s",
        ),
        ({**HOOK, "timeout": "x" * 80}, f"'timeout' cannot be '{'x' * 39}…; write a n"),
        ({**HOOK, "uri": "hidden"}, "'uri' is no option of it; write 'name', 'type', "),
    ],
)
def test_a_wrong_entry_is_told_with_what_to_write(entry: object, expected: str) -> None:
    with pytest.raises(OptionError) as caught:
        build_channel(entry)

    assert expected in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_an_entry_shows_its_name_and_nothing_secret() -> None:
    entry = ChannelEntry.read(HOOK)

    assert repr(entry) == "ChannelEntry(type='webhook', name='webhook')"
    assert ChannelEntry.read(entry) is entry


def test_an_error_is_worth_another_attempt_unless_it_says_otherwise() -> None:
    error = DeliveryError("busy")

    assert (error.permanent, error.retry_after, error.accepted) == (False, None, ())
    assert str(error) == "busy"
