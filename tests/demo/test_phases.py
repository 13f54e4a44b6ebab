from __future__ import annotations

import pytest

from demo_runner.pages import PAGES
from demo_runner.phases import CYCLE, cycle_length, phase_at


def test_the_phases_fill_the_cycle() -> None:
    assert sum(phase.share for phase in CYCLE) == pytest.approx(1)


def test_every_action_of_a_phase_is_a_page() -> None:
    assert {name for phase in CYCLE for name in phase.mix} == set(PAGES)


@pytest.mark.parametrize(
    ("elapsed", "expected"),
    [
        (0, "calm"),
        (15, "calm"),
        (16, "slow queries"),
        (35, "slow queries"),
        (36, "errors"),
        (54, "errors"),
        (55, "calm again"),
        (89, "calm again"),
    ],
)
def test_a_cycle_is_calm_then_slow_then_failing_then_calm(
    elapsed: float, expected: str
) -> None:
    assert phase_at(elapsed, None).name == expected


def test_without_an_end_the_cycle_begins_anew() -> None:
    assert phase_at(90 * 7 + 20, None).name == "slow queries"


def test_after_its_end_a_timed_run_stays_calm() -> None:
    assert phase_at(90 + 20, 90).name == "calm again"


@pytest.mark.parametrize(
    ("duration", "length"), [(None, 90), (60, 60), (90, 90), (130, 130), (200, 100)]
)
def test_a_timed_run_is_made_of_whole_cycles(
    duration: float | None, length: float
) -> None:
    assert cycle_length(duration) == length
