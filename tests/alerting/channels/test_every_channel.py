"""What every channel must do, whatever it tells people with."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings

from alerting import conf
from alerting.channels import BUILT_IN, ChannelEntry, DeliveryError
from alerting.channels.availability import why_unavailable
from tests.support.channels import REMOTE, SECRET, Case, case
from tests.support.notices import message, notice, resolution

MEGABYTE = 2**20


@pytest.fixture(autouse=True)
def _everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


@pytest.fixture(params=sorted(BUILT_IN))
def any_case(request: pytest.FixtureRequest) -> Iterator[Case]:
    with case(request.param) as found:
        yield found


@pytest.fixture(params=REMOTE)
def remote(request: pytest.FixtureRequest) -> Iterator[Case]:
    with case(request.param) as found:
        yield found


def told(case: Case, *notices: Any, **changes: Any) -> tuple[str, ...]:
    people = case.channel.recipients()
    return case.channel.send(message(*notices, recipients=people, **changes))


def failure(case: Case) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        told(case)
    return caught.value


def test_it_goes_by_its_name(any_case: Case) -> None:
    assert any_case.channel.name in BUILT_IN


def test_it_can_be_used_as_the_tests_are_configured(any_case: Case) -> None:
    assert any_case.channel.unavailable() == ""
    assert any_case.channel.recipients()


def test_it_returns_those_who_were_reached(any_case: Case) -> None:
    assert told(any_case) == any_case.channel.recipients()


def test_it_tells_alarms_resolutions_and_digests(any_case: Case) -> None:
    people = any_case.channel.recipients()

    assert told(any_case, notice(), notice()) == people
    assert told(any_case, resolution()) == people
    assert told(any_case, *[notice()] * 30, is_digest=True) == people


def test_it_survives_text_in_any_language_and_control_characters(
    any_case: Case,
) -> None:
    strange = notice(
        name="überall\r\nBcc: x",
        message="日本 \x00 \ud800 é",
        labels=(("größe", "\x00\n"), ("", "leer")),
        annotations={"übrigens": "\ud800"},
        value=float("nan"),
    )

    assert told(any_case, strange)


def test_what_is_huge_is_told_within_bounds(any_case: Case) -> None:
    huge = notice(
        message="x" * 100_000,
        labels=(("http.route", "y" * 100_000),),
        evidence={"contributors": [{"endpoint": "z" * 100_000}] * 3},
    )

    assert told(any_case, *[huge] * 60, is_digest=True)
    assert any_case.heard() < 4 * MEGABYTE


def test_a_service_that_is_broken_is_tried_again(remote: Case) -> None:
    remote.answers(500)

    error = failure(remote)

    assert not error.permanent
    assert error.accepted == ()


def test_a_service_that_refuses_is_not_asked_again(remote: Case) -> None:
    remote.answers(400)

    # Of apprise nobody learns why it failed.
    assert failure(remote).permanent is (remote.channel.name != "apprise")


@pytest.mark.parametrize("kind", REMOTE)
def test_a_service_that_hangs_is_left_and_tried_again(kind: str) -> None:
    with case(kind, timeout=0.2) as hanging:
        hanging.hangs()

        error = failure(hanging)

    assert not error.permanent
    assert any(word in str(error) for word in ("timed out", "answer within"))


@pytest.mark.parametrize("kind", REMOTE)
def test_a_service_that_is_not_there_is_tried_again(kind: str) -> None:
    with case(kind, is_there=False) as gone:
        assert not failure(gone).permanent


@pytest.mark.parametrize("status", [200, 302, 400, 503])
def test_no_secret_is_logged_shown_or_told(
    status: int, remote: Case, caplog: pytest.LogCaptureFixture
) -> None:
    remote.answers(status)
    found = [repr(remote.channel), *remote.channel.recipients()]

    try:
        told(remote)
    except DeliveryError as error:
        found += [str(error), repr(error), repr(error.__cause__)]

    found += [record.getMessage() for record in caplog.records]
    assert not [text for text in found if SECRET in text]


@pytest.mark.parametrize("kind", REMOTE)
def test_the_settings_show_no_secret(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    with case(kind) as found:
        right = {"type": kind, "url": found.url, "secret": SECRET}
    wrong = {**right, "name": "a b", "url": [SECRET], "password": SECRET}
    with override_settings(ALERTING_SETTINGS={"CHANNELS": [right, wrong, found.url]}):
        shown = [repr(conf.current()), repr(ChannelEntry.read(right))]
        shown += [repr(problem) for problem in conf.problems()]

    shown += [record.getMessage() for record in caplog.records]
    assert len(shown) > 2
    assert not [text for text in shown if SECRET in text]


def test_why_it_cannot_be_used_is_said_in_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("alerting.channels.apprise.find_spec", lambda name: None)
    with case("apprise") as missing:
        assert "pip install 'prs-otel[notify]'" in why_unavailable(missing.channel)
        assert "is not installed" in str(failure(missing))
    with case("email") as unaddressed, override_settings(ADMINS=[]):
        assert why_unavailable(unaddressed.channel) == "ADMINS is empty"
