from __future__ import annotations

import logging

import pytest

from prs_otel import guard


@pytest.fixture
def in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "reraise", False)
    guard.reset()


def fail_inline(where: str) -> None:
    try:
        float("not a number")
    except ValueError:
        guard.failed(where)


class TestInProduction:
    pytestmark = pytest.mark.usefixtures("in_production")

    def test_a_failure_does_not_leave_the_block(self) -> None:
        with guard.guarded("here"):
            raise ValueError

        assert guard.report() == {"here": 1}

    def test_a_failure_does_not_leave_the_function(self) -> None:
        @guard.guarded("here")
        def hook() -> None:
            raise ValueError

        hook()
        hook()

        assert guard.report() == {"here": 2}

    def test_a_guarded_function_returns_what_it_returns(self) -> None:
        @guard.guarded("here")
        def hook() -> int:
            return 7

        assert hook() == 7
        assert guard.report() == {}

    def test_an_interrupt_passes(self) -> None:
        with pytest.raises(KeyboardInterrupt), guard.guarded("here"):
            raise KeyboardInterrupt

        assert guard.report() == {}

    def test_failed_counts_the_exception_being_handled(self) -> None:
        fail_inline("here")

        assert guard.report() == {"here": 1}

    def test_the_first_failure_is_logged_with_its_traceback(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        with guard.guarded("here"):
            raise ValueError

        (record,) = caplog.records
        assert record.name == "prs_otel"
        assert record.levelno == logging.ERROR
        assert "your application is not affected" in record.getMessage()
        assert record.exc_info is not None
        assert record.exc_info[0] is ValueError

    def test_a_place_is_logged_once_a_minute(
        self, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        times = iter((0.0, 1.0, 59.0, 60.0))
        monkeypatch.setattr(guard, "monotonic", lambda: next(times))

        for _ in range(4):
            with guard.guarded("here"):
                raise ValueError

        assert [record.args for record in caplog.records] == [("here", 1), ("here", 4)]

    def test_each_place_is_logged_for_itself(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        for place in ("here", "there"):
            with guard.guarded(place):
                raise ValueError

        assert [record.args for record in caplog.records] == [("here", 1), ("there", 1)]

    def test_places_are_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(guard, "PLACES_LIMIT", 2)

        for place in ("a", "b", "c", "d", "a"):
            with guard.guarded(place):
                raise ValueError

        assert guard.report() == {"a": 2, "b": 1, guard.OVERFLOW: 2}

    def test_a_broken_log_handler_does_not_reach_the_application(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object, **__: object) -> None:
            raise OSError

        monkeypatch.setattr(guard.logger, "error", broken)

        with guard.guarded("here"):
            raise ValueError

        assert guard.report() == {"here": 1}

    def test_the_report_is_a_copy(self) -> None:
        guard.report()["here"] = 1

        assert guard.report() == {}


class TestInOurTests:
    def test_the_block_raises(self) -> None:
        with pytest.raises(ValueError, match="mine"), guard.guarded("here"):
            raise ValueError("mine")

    def test_failed_raises(self) -> None:
        with pytest.raises(ValueError, match="not a number"):
            fail_inline("here")


def test_failed_outside_an_except_block_is_a_misuse() -> None:
    with pytest.raises(RuntimeError, match="while an exception is handled"):
        guard.failed("here")


@pytest.mark.usefixtures("in_production")
def test_a_tolerated_fault_is_counted_and_told_without_a_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for _ in range(2):
        guard.tolerated("store", OSError("the disk is full"))

    (record,) = caplog.records
    assert guard.report() == {"store": 2}
    assert record.getMessage() == "the disk is full (store, 1 times so far)"
    assert record.exc_info is None


def test_a_log_handler_that_breaks_over_a_tolerated_fault_stays_the_application_s_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(guard.logger, "warning", broken)

    guard.tolerated("store", OSError("the disk is full"))

    assert guard.report() == {"store": 1}


def test_a_failure_may_be_noted_while_another_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As the collector does when it picks the moment to close a broken generator."""

    def monotonic() -> float:
        monkeypatch.undo()
        guard.tolerated("inner", ValueError())
        return 0.0

    monkeypatch.setattr(guard, "monotonic", monotonic)
    with guard._lock:
        guard.tolerated("outer", ValueError())

    assert guard.report() == {"inner": 1, "outer": 1}
