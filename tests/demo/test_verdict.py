from __future__ import annotations

from demo_runner import verdict
from demo_runner.ledger import Series, Tally
from demo_runner.mails import Mail
from demo_runner.verdict import TOTAL, Comparison
from tests.demo.readings import alert, summary

DEALS, LOGIN = Series("/deals/", "GET"), Series("/login/", "POST")


def test_equal_counts_leave_nothing_to_say() -> None:
    received = {DEALS: Tally(5, 1), LOGIN: Tally(2, 0)}
    seen = summary(requests=Tally(7, 1), endpoints=received)
    rows = verdict.compare(received, seen)
    assert [row.series for row in rows] == [DEALS, LOGIN, TOTAL]
    assert verdict.count_findings(rows) == []


def test_a_lost_request_and_one_nobody_made_are_both_found() -> None:
    received = {DEALS: Tally(5, 1)}
    seen = {DEALS: Tally(4, 1), LOGIN: Tally(1, 0)}
    rows = verdict.compare(received, summary(requests=Tally(5, 1), endpoints=seen))
    assert verdict.count_findings(rows) == [
        "GET /deals/: 5 responses (1 errors) received, 4 (1 errors) in the view",
        "POST /login/: 0 responses (0 errors) received, 1 (0 errors) in the view",
    ]


def test_a_total_that_is_not_the_sum_of_its_parts_is_found() -> None:
    received = {DEALS: Tally(5, 0)}
    rows = verdict.compare(received, summary(requests=Tally(6, 0), endpoints=received))
    assert verdict.count_findings(rows) == [
        "all requests: 5 responses (0 errors) received, 6 (0 errors) in the view"
    ]


def test_errors_are_compared_too() -> None:
    row = Comparison(DEALS, Tally(5, 1), Tally(5, 0))
    assert not row.is_equal


def test_an_alert_must_fire_and_resolve() -> None:
    alerts = [
        alert("over", state="resolved", resolved_at="2026-01-02T03:05:00Z"),
        alert("still"),
        alert("almost", state="pending", fired_at=""),
    ]
    assert verdict.alert_findings(["over", "still", "almost", "silent"], alerts) == [
        "still: fired, but is not resolved",
        "almost: never fired",
        "silent: never fired",
    ]


def test_the_beginning_and_the_end_of_an_alert_must_both_be_mailed() -> None:
    subjects = ("[WARNING] told", "[resolved] told", "[WARNING] half", "[resolved] odd")
    mails = [Mail(subject, "", ()) for subject in subjects]
    assert verdict.mail_findings(["told", "half", "odd", "never"], mails) == [
        "half: no mail says that it is resolved",
        "odd: no mail says that it fires",
        "never: no mail says that it fires",
        "never: no mail says that it is resolved",
    ]


def test_unanswered_requests_are_named_with_their_reason() -> None:
    assert verdict.missing_findings({"TimeoutError: timed out": 3}) == [
        "3 requests unanswered: TimeoutError: timed out"
    ]


def test_the_table_marks_what_differs() -> None:
    rows = [
        Comparison(DEALS, Tally(5, 1), Tally(5, 1)),
        Comparison(LOGIN, Tally(2, 0), Tally(1, 0)),
    ]
    assert verdict.table(rows) == [
        "endpoint  method  received    seen  errors    seen",
        "-" * 50,
        "/deals/   GET            5       5       1       1",
        "/login/   POST           2       1       0       0  differs",
    ]
