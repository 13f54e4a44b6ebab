from __future__ import annotations

import logging

import pytest

from prs_otel.observation import Thresholds
from prs_otel.rollup import series
from prs_otel.rollup.cells import Cells
from prs_otel.rollup.delta import Delta
from prs_otel.rollup.sample import KEPT, Sample
from prs_otel.slow_log import BURST, SlowLog
from tests.prs_otel.rollup.test_codec import sample
from tests.prs_otel.slow_log.test_logfmt import parsed


class Log:
    """A slow log and what it has written since it was last asked."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog
        self._slow_log = SlowLog(thresholds=Thresholds, text=lambda _: "SELECT ?")

    def of(
        self, *samples: Sample, end: float = 5.0, counted: int = 0
    ) -> list[dict[str, str]]:
        """Return the lines of a delta that has these samples and `counted` slow queries."""
        by_kind: dict[str, list[Sample]] = {}
        for each in samples:
            by_kind.setdefault(each.kind, []).append(each)
        cells = Cells(10)
        for _ in range(counted):
            labels = ("default", "f" * 16)
            cells.cell(series.QUERY, labels).observe(2_000_000_000, is_slow=True)
        self._caplog.clear()
        self._slow_log.write(Delta(0.0, end, cells, by_kind, {}))
        assert self._slow_log.stop(5.0)
        return [parsed(record.getMessage()) for record in self._caplog.records]


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Log:
    caplog.set_level(logging.INFO, logger="performance")
    return Log(caplog)


def slow(count: int) -> list[Sample]:
    return [sample(duration=2.0 + n) for n in range(count)]


def test_only_what_is_slower_than_the_threshold_is_written(log: Log) -> None:
    fast_query, slow_query = sample(duration=0.9), sample(duration=1.5)
    fast_request = sample(kind=series.REQUEST, fingerprint="", duration=1.9)
    slow_request = sample(kind=series.REQUEST, fingerprint="", duration=2.5)

    lines = log.of(fast_query, slow_query, fast_request, slow_request)

    assert [(line["event"], line["duration"]) for line in lines] == [
        ("slow_query", "1.5"),
        ("slow_request", "2.5"),
    ]
    assert lines[0]["query"] == "SELECT ?"


def test_many_slow_queries_are_a_few_lines_the_worst_first(log: Log) -> None:
    lines = log.of(*slow(BURST + 5))

    assert len(lines) == BURST
    assert lines[0]["duration"] == f"{BURST + 6}"
    assert all("suppressed" not in line for line in lines)


def test_what_was_left_out_is_said_on_the_next_line(log: Log) -> None:
    log.of(*slow(BURST + 5))

    first, second = log.of(*slow(2), end=7.0)

    assert first["suppressed"] == "5"
    assert "suppressed" not in second


def test_what_was_left_out_is_said_too_when_nothing_slow_follows(log: Log) -> None:
    log.of(*slow(BURST + 5))

    assert log.of(end=5.5) == []
    assert log.of(end=7.0) == [{"event": "slow_query", "suppressed": "5"}]
    assert log.of(end=20.0) == []


def test_what_was_not_even_kept_as_a_sample_is_counted(log: Log) -> None:
    log.of(*slow(KEPT), counted=KEPT + 900)

    [line] = log.of(sample(), end=6.0)

    assert line["suppressed"] == str(KEPT + 900 - BURST)


def test_what_handlers_that_block_leave_no_room_for_is_counted(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as blocked:
        blocked.setattr(log._slow_log._writer, "write", lambda entry: False)
        assert log.of(*slow(3)) == []

    [line] = log.of(sample(), end=6.0)

    assert line["suppressed"] == "3"


def test_requests_have_a_rate_of_their_own(log: Log) -> None:
    request = sample(kind=series.REQUEST, fingerprint="", duration=3.0)

    lines = log.of(*slow(BURST + 5), request)

    assert lines[-1]["event"] == "slow_request"


def test_a_file_that_is_named_to_forge_a_line_stays_a_value(log: Log) -> None:
    route = "/a\nCRITICAL alerting everything is fine"

    [line] = log.of(sample(endpoint=route))

    assert line["route"] == route
