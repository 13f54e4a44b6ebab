from __future__ import annotations

from collections.abc import Sequence

import pytest

from demo_runner import judge
from demo_runner.client import Answer, Call, Client
from demo_runner.frame import Moment
from demo_runner.judge import RESOLVES_WITHIN, Ending, pronounce, settled_counts
from demo_runner.ledger import Ledger, Series, Tally
from demo_runner.mails import Mail
from demo_runner.phases import CALM
from demo_runner.rates import Rates
from demo_runner.readings import Alert, ReadingError, Summary, View
from demo_runner.verdict import Comparison
from tests.demo.readings import alert, reading, summary

OVER = alert("errors", resolved_at="2026-01-02T03:05:00Z")
MAILS = (Mail("critical: errors", "", ()), Mail("resolved: errors", "", ()))
DEALS = Series("/deals/", "GET")


def moment(elapsed: float, alerts: Sequence[Alert] = (), *mails: Mail) -> Moment:
    return Moment(CALM, elapsed, 90, reading(alerts=tuple(alerts)), Rates(), mails)


def test_without_a_duration_it_never_ends() -> None:
    assert not Ending(None, ["errors"]).is_reached(moment(1e6, [OVER], *MAILS))


def test_a_timed_run_goes_on_to_its_end_though_every_alert_is_over() -> None:
    ending = Ending(90, ["errors"])
    reached = [ending.is_reached(moment(at, [OVER], *MAILS)) for at in (89, 90)]
    assert reached == [False, True]


@pytest.mark.parametrize(
    ("alerts", "mails"), [([], MAILS), ([alert("errors")], MAILS), ([OVER], MAILS[:1])]
)
def test_it_waits_for_alerts_and_mails_but_not_for_ever(
    alerts: list[Alert], mails: Sequence[Mail]
) -> None:
    ending, late = Ending(90, ["errors"]), 90 + RESOLVES_WITHIN + 1
    reached = [ending.is_reached(moment(at, alerts, *mails)) for at in (91, late)]
    assert reached == [False, True]


class SlowlyFlushedView(View):
    """Sees one more response at every reading, as long as there are more."""

    def __init__(self, *counts: int) -> None:
        self._counts = list(counts)

    def summary(self, *, hours: float = 24) -> Summary:
        tally = Tally(self._counts.pop(0), 0)
        return summary(requests=tally, endpoints={DEALS: tally})


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Ledger:
    monkeypatch.setattr(judge, "FIRST_PAUSE", 0)
    ledger = Ledger()
    for _ in range(3):
        ledger.answered(DEALS, 200)
    return ledger


def test_counts_are_compared_once_they_are_flushed(ledger: Ledger) -> None:
    rows = settled_counts(ledger, SlowlyFlushedView(1, 2, 3))
    assert rows[0] == Comparison(DEALS, Tally(3, 0), Tally(3, 0))


def test_counts_that_never_agree_are_returned_as_they_are(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "FLUSHES_WITHIN", -1)
    rows = settled_counts(ledger, SlowlyFlushedView(2))
    assert rows[0] == Comparison(DEALS, Tally(3, 0), Tally(2, 0))


def test_the_verdict_is_printed_with_what_was_mailed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [Comparison(DEALS, Tally(3, 0), Tally(3, 0))]
    assert pronounce(rows, [], mails=MAILS) is True
    said = capsys.readouterr().out
    assert said.startswith("2 mails\n  critical: errors\n  resolved: errors\n")
    assert "PASSED" in said


def test_a_failure_names_everything_that_differed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [Comparison(DEALS, Tally(3, 0), Tally(2, 0))]
    assert pronounce(rows, ["one", "two"], mails=()) is False
    assert "FAILED\n  one\n  two\n" in capsys.readouterr().out


class AnsweringClient(Client):
    """Gives the same answer to everything."""

    def __init__(self, answer: Answer | None) -> None:
        self._answer = answer

    def send(self, call: Call) -> Answer | None:
        return self._answer


@pytest.mark.parametrize(
    ("answer", "said"),
    [(None, "no response"), (Answer(503, b"store"), "503: b'store'")],
)
def test_an_api_that_does_not_answer_ends_the_demo(
    answer: Answer | None, said: str
) -> None:
    with pytest.raises(ReadingError, match=f"history/ {said}"):
        View(AnsweringClient(answer)).alerts()


def test_of_each_statement_only_the_slowest_query_is_shown() -> None:
    body = (
        b'{"items": ['
        b'{"fingerprint": "a", "query": "A", "duration": 3, "endpoint": "/", "code": null},'
        b'{"fingerprint": "a", "query": "A", "duration": 2, "endpoint": "/", "code": null},'
        b'{"fingerprint": "b", "query": "B", "duration": 1, "endpoint": "/", "code": null}'
        b"]}"
    )
    shown = View(AnsweringClient(Answer(200, body))).slow_queries()
    assert [(query.query, query.duration) for query in shown] == [("A", 3), ("B", 1)]
