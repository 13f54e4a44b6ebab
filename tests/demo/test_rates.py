from __future__ import annotations

from demo_runner.ledger import Tally
from demo_runner.rates import Rates, Recently
from tests.demo.readings import summary


def test_one_reading_alone_has_no_rates() -> None:
    assert Recently().rates(summary(requests=Tally(50, 5))) == Rates()


def test_rates_come_from_what_was_added_between_two_readings() -> None:
    recently = Recently()
    recently.rates(summary(at=10, requests=Tally(50, 5), query_count=100))
    now = summary(at=12, requests=Tally(90, 15), query_count=220)
    assert recently.rates(now) == Rates(requests=20, queries=60, errors=0.25)


def test_readings_older_than_the_span_are_forgotten() -> None:
    recently = Recently(seconds=10)
    readings = [(0, 0), (5, 1000), (15, 1100)]
    rates = [
        recently.rates(summary(at=at, requests=Tally(count, 0)))
        for at, count in readings
    ]
    assert [each.requests for each in rates] == [0, 200, 10]


def test_without_new_requests_the_rates_are_zero() -> None:
    recently = Recently()
    recently.rates(summary(at=0, requests=Tally(50, 5)))
    assert recently.rates(summary(at=5, requests=Tally(50, 5))) == Rates()
