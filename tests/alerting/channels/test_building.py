from __future__ import annotations

import pytest

from alerting.channels import DeliveryError, build_channel, build_channels
from tests.support.alerting_world import FakeChannel

FAKE = f"{FakeChannel.__module__}.FakeChannel"


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


def test_what_does_not_exist_cannot_be_built() -> None:
    with pytest.raises(ImportError):
        build_channel("pigeon")


@pytest.mark.parametrize("path", ["collections.OrderedDict", "math.pi"])
def test_what_is_no_channel_is_refused(path: str) -> None:
    with pytest.raises(TypeError, match="is no channel: it has no name"):
        build_channel(path)


def test_an_error_is_worth_another_attempt_unless_it_says_otherwise() -> None:
    error = DeliveryError("busy")

    assert (error.permanent, error.retry_after, str(error)) == (False, None, "busy")
