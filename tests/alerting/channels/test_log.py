from __future__ import annotations

import logging

import pytest

from alerting.channels.log import LogChannel
from alerting.notifications.message import SHOWN_LIMIT
from alerting.rules import Severity
from tests.support.notices import message, notice, resolution


@pytest.fixture(autouse=True)
def _everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="alerting")


@pytest.mark.parametrize(
    ("severity", "level"),
    [
        (Severity.INFO, logging.INFO),
        (Severity.WARNING, logging.WARNING),
        (Severity.ERROR, logging.ERROR),
        (Severity.CRITICAL, logging.CRITICAL),
    ],
)
def test_an_alarm_is_logged_as_bad_as_it_is(
    severity: Severity, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    LogChannel().send(message(notice(severity=severity)))

    [record] = caplog.records
    assert (record.name, record.levelno) == ("alerting", level)
    assert record.getMessage() == (
        f"deals_errors firing ({severity}): Deals fail: 25 % > 20 %"
    )


def test_a_resolution_is_a_warning_too(caplog: pytest.LogCaptureFixture) -> None:
    LogChannel().send(message(resolution(severity=Severity.CRITICAL)))

    assert caplog.records[0].levelno == logging.WARNING


def test_a_log_has_every_alert_of_a_digest(caplog: pytest.LogCaptureFixture) -> None:
    LogChannel().send(message(*[notice()] * (SHOWN_LIMIT + 5), is_digest=True))

    assert len(caplog.records) == SHOWN_LIMIT + 5


def test_a_record_carries_the_alert_for_structured_logs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    LogChannel().send(message())

    alert = vars(caplog.records[0])["alert"]
    assert (alert["name"], alert["value"]) == ("deals_errors", 0.25)
