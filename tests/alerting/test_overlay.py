from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings

from alerting import conf
from alerting.overlay import FOLLOWED, overlaid, refusals
from alerting.settings_model import AlertingSettings

BASE = AlertingSettings()


@pytest.fixture(autouse=True)
def _changes_are_forgotten() -> Iterator[None]:
    yield
    conf.change({})


def refused(key: str, value: object) -> tuple[str, str]:
    [found] = refusals({key: value}, base=BASE)
    assert found.key == key
    return found.kind, found.message


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ALERT_COOLDOWN_MINUTES", 0),
        ("MAX_ALERTS_PER_HOUR", 60),
        ("EVALUATION_INTERVAL", 2),
        ("ROUTES", [{"matchers": {"team": "a"}, "channels": ["log"]}]),
        ("ESCALATIONS", [{"after": "30m", "channels": ["email"]}]),
        ("INHIBITIONS", [{"source": {"a": "b"}, "target": {"a": "c"}}]),
        ("EMAIL_BATCH_SIZE", None),
    ],
)
def test_what_the_settings_file_may_say_is_accepted(key: str, value: object) -> None:
    assert refusals({key: value}, base=BASE) == []


def test_a_wrong_value_is_refused_with_what_to_write() -> None:
    kind, message = refused("EMAIL_BATCH_SIZE", 0)

    assert (kind, message.partition(". ")[::2]) == (
        "value",
        (
            "ALERTING_SETTINGS['EMAIL_BATCH_SIZE'] cannot be 0",
            "Write a whole number from 1 to 100.",
        ),
    )
    assert refused("EMAIL_BATCHSIZE", 3)[0] == "unknown"
    assert "Write 'EMAIL_BATCH_SIZE'" in refused("EMAIL_BATCHSIZE", 3)[1]


@pytest.mark.parametrize(
    "key", ["RULES", "CHANNELS", "DEAD_MANS_SWITCH_URL", "WEBHOOK_SECRET"]
)
def test_what_may_be_code_or_secret_is_written_into_the_settings_file(key: str) -> None:
    kind, message = refused(key, "s3cret")

    assert kind == "restart"
    assert "settings file" in message
    assert "s3cret" not in message
    assert key not in FOLLOWED


@pytest.mark.parametrize(
    ("key", "entry"),
    [
        ("ROUTES", {"matchers": {"team": "a"}, "channels": ["log", "pager"]}),
        ("ESCALATIONS", {"after": "30m", "channels": ["pager"]}),
    ],
)
def test_nothing_is_sent_to_a_channel_that_does_not_exist(key: str, entry: Any) -> None:
    kind, message = refused(key, [entry])

    assert kind == "value"
    assert "the channel 'pager': there is none. Choose from email, log." in message


def test_a_change_goes_before_the_settings_file() -> None:
    with override_settings(ALERTING_SETTINGS={"MAX_ALERTS_PER_HOUR": 5}):
        conf.change({"MAX_ALERTS_PER_HOUR": 50, "EMAIL_BATCH_SIZE": 1})
        found = conf.current()

        assert (found.max_alerts_per_hour, found.email_batch_size) == (50, 1)
        conf.change({})
        assert conf.current().max_alerts_per_hour == 5


def test_only_the_change_that_fits_no_more_is_ignored(
    caplog: pytest.LogCaptureFixture,
) -> None:
    route = {"matchers": {"team": "a"}, "channels": ["email"]}
    asked = {"ROUTES": [route], "EMAIL_BATCH_SIZE": 1, "GONE": 1}

    with (
        override_settings(ALERTING_SETTINGS={"CHANNELS": ["log"]}),
        caplog.at_level(logging.WARNING, "prs_otel"),
    ):
        conf.change(asked)
        found = conf.current()
        _, ignored = conf.changed_by(asked)

    assert (found.routes, found.email_batch_size) == ((), 1)
    assert [each.key for each in ignored] == ["ROUTES", "GONE"]
    assert len(caplog.records) == 2


def test_what_is_laid_over_stays_as_it_is() -> None:
    changed, _ = overlaid(BASE, {"EMAIL_BATCH_SIZE": 1})

    assert (changed.email_batch_size, BASE.email_batch_size) == (1, 5)
