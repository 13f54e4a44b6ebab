from __future__ import annotations

from prs_otel.schedule import Every


def test_it_is_due_at_first_and_then_after_its_interval() -> None:
    every = Every(10.0)

    assert [every.is_due(now) for now in (0.0, 5.0, 9.9, 10.0, 15.0)] == [
        True,
        False,
        False,
        True,
        False,
    ]


def test_a_clock_set_back_makes_it_due_at_once() -> None:
    every = Every(10.0)
    every.is_due(1_000.0)

    assert every.is_due(500.0)


def test_it_tells_how_long_it_still_takes() -> None:
    every = Every(10.0)
    assert every.remaining(0.0) == 0.0

    every.is_due(100.0)

    assert every.remaining(104.0) == 6.0
    assert every.remaining(200.0) == 0.0
    assert every.remaining(0.0) == 10.0
