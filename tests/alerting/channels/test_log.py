from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest
from opentelemetry import trace

from alerting.channels.base import DeliveryError
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
    assert record.getMessage().startswith(
        f"deals_errors firing ({severity}): Deals fail: 25 % > 20 %"
        " alert_id=11111111-2222-3333-4444-555555555555 value=0.25 threshold=0.2"
        ' lasting_seconds=60 silence="POST '
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


TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
BEHIND = {
    "traces": [TRACE, "a" * 32],
    "spans": [SPAN, "b" * 16],
    "code": {"file": "deals/my views.py", "line": 7, "function": "listing"},
}


class Handler(logging.Handler):
    """A handler on the logger that does what the test wants."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()
        self.failure: Exception | None = None
        self.lines: list[str] = []
        self.traces: list[int] = []

    def emit(self, record: logging.LogRecord) -> None:
        assert self.gate.wait(10)
        self.lines.append(self.format(record))
        self.traces.append(trace.get_current_span().get_span_context().trace_id)
        if self.failure is not None:
            raise self.failure


@pytest.fixture
def handler() -> Iterator[Handler]:
    """Return a handler on the logger, for the length of the test."""
    logger, handler = logging.getLogger("alerting"), Handler()
    logger.addHandler(handler)
    yield handler
    handler.gate.set()
    logger.removeHandler(handler)


def test_an_alarm_carries_the_trace_it_rests_on(handler: Handler) -> None:
    handler.setFormatter(logging.Formatter("%(otelTraceID)s %(otelSpanID)s"))

    LogChannel().send(message(notice(evidence=BEHIND)))

    assert handler.lines == [f"{TRACE} {SPAN}"]
    assert handler.traces == [int(TRACE, 16)]


def test_its_line_names_the_trace_and_the_code(
    caplog: pytest.LogCaptureFixture,
) -> None:
    LogChannel().send(message(notice(evidence=BEHIND)))

    line = caplog.records[0].getMessage()
    assert line.endswith(f' code="deals/my views.py:7" trace_id={TRACE} span_id={SPAN}')


def test_an_alarm_without_figures_is_a_line_without_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    LogChannel().send(message(notice(value=None, threshold=None)))

    line = caplog.records[0].getMessage()
    assert "> 20 % alert_id=11111111-2222-3333-4444-555555555555 lasting" in line
    assert "value=" not in line
    assert "threshold=" not in line


@pytest.mark.parametrize("behind", [{}, {"traces": []}, {"traces": ["no\ntrace"]}])
def test_an_alarm_without_a_trace_has_the_id_0(
    behind: dict[str, object], handler: Handler
) -> None:
    handler.setFormatter(logging.Formatter("%(otelTraceID)s %(otelSpanID)s"))

    LogChannel().send(message(notice(evidence=behind)))

    assert handler.lines == ["0 0"]


def test_a_message_stays_on_one_line(caplog: pytest.LogCaptureFixture) -> None:
    forged = "over\nWARNING alerting \x1b[2Jall is well"

    LogChannel().send(message(notice(message=forged)))

    [line] = caplog.records[0].getMessage().splitlines()
    assert line.isprintable()


def test_a_handler_that_raises_keeps_no_other_alert_from_the_log(
    handler: Handler,
) -> None:
    handler.failure = OSError("password=secret")

    with pytest.raises(DeliveryError, match=r"a handler of the logger raised OSError$"):
        LogChannel().send(message(notice(), notice(name="other")))

    assert len(handler.lines) == 2


def test_a_handler_that_blocks_keeps_nobody_waiting(handler: Handler) -> None:
    channel = LogChannel(timeout=0.01)
    handler.gate.clear()

    with pytest.raises(DeliveryError, match="logging took more than"):
        channel.send(message())
    with pytest.raises(DeliveryError, match="logging has not come back"):
        channel.send(message())

    handler.gate.set()
    assert channel._deadline._thread is not None
    channel._deadline._thread.join(10)
    assert len(handler.lines) == 1
    assert channel.send(message()) == ("alerting",)


def test_a_logger_that_is_to_be_quiet_is(handler: Handler) -> None:
    logger = logging.getLogger("alerting")
    logger.setLevel(logging.CRITICAL)

    LogChannel().send(message(notice(severity=Severity.WARNING)))

    assert handler.lines == []
