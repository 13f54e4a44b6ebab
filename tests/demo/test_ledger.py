from __future__ import annotations

from demo_runner.ledger import Ledger, Series, Tally

DEALS = Series("/deals/", "GET")


def test_responses_are_counted_by_endpoint_and_method() -> None:
    ledger = Ledger()
    for series in (DEALS, DEALS, Series("/deals/", "POST")):
        ledger.answered(series, 200)
    assert ledger.tallies() == {
        DEALS: Tally(2, 0),
        Series("/deals/", "POST"): Tally(1, 0),
    }


def test_an_error_is_a_response_of_500_or_above() -> None:
    ledger = Ledger()
    for status in (200, 302, 404, 499, 500, 503):
        ledger.answered(DEALS, status)
    assert ledger.tallies() == {DEALS: Tally(6, 2)}


def test_a_request_without_a_response_is_booked_apart() -> None:
    ledger = Ledger()
    ledger.unanswered("ConnectionResetError")
    assert (ledger.tallies(), ledger.missing()) == ({}, {"ConnectionResetError": 1})
