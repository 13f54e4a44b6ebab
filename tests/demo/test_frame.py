from __future__ import annotations

import io

import pytest

from demo_runner.display import CLEAR_LINE, HOME, Lines, Screen, display_on
from demo_runner.frame import Moment, clock, frame, line
from demo_runner.mails import Mail
from demo_runner.phases import CALM
from demo_runner.rates import Rates
from tests.demo.readings import alert, reading

MAIL = Mail("[CRITICAL] errors", "ops@example.org", tuple("abcdefgh"))


def moment(*mails: Mail) -> Moment:
    alerts = (alert("errors"), alert("slow", resolved_at="2026-01-02T03:05:06Z"))
    return Moment(CALM, 65.0, 90.0, reading(alerts=alerts), Rates(30, 90, 0.02), mails)


def test_seconds_are_written_as_minutes_and_seconds() -> None:
    assert [clock(0), clock(65.9), clock(3600)] == ["00:00", "01:05", "60:00"]


def test_a_line_says_what_the_view_sees_and_what_fires() -> None:
    text = line(moment())
    for part in ("01:05 calm", "30.0 req/s", "2.0%", "41 ms", "errors (critical)"):
        assert part in text
    assert "slow (" not in text


def test_the_picture_shows_slow_queries_with_their_line_of_code() -> None:
    assert "payments/statement.py:31" in "\n".join(frame(moment()))


def test_the_picture_shows_alerts_with_their_state_and_its_time() -> None:
    text = "\n".join(frame(moment()))
    assert "firing    critical 03:04:05  errors: 0.7 > 0.3" in text
    assert "resolved  critical 03:05:06  slow: 0.7 > 0.3" in text


def test_the_picture_shows_the_latest_mails_first() -> None:
    mails = [Mail(f"Mail {n}", "", ()) for n in range(5)]
    shown = [text.strip() for text in frame(moment(*mails)) if "Mail " in text]
    assert shown == ["Mail 4", "Mail 3", "Mail 2", "Mail 1"]


def test_a_mail_shows_its_subject_and_first_lines() -> None:
    shown = frame(moment(MAIL))
    assert shown[-8:] == ["  [CRITICAL] errors", *(f"    {line}" for line in "abcdefg")]


def test_on_a_pipe_every_mail_is_shown_once() -> None:
    out = io.StringIO()
    with display_on(out, ["heading"]) as display:
        assert isinstance(display, Lines)
        display.show(moment(MAIL))
        display.show(moment(MAIL))
    text = out.getvalue()
    assert (text.startswith("heading\n"), text.count("mail: [CRITICAL] errors")) == (
        True,
        1,
    )


def test_the_screen_never_outgrows_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("LINES", "10")
    out = io.StringIO()
    Screen(out, ["heading"]).show(moment(MAIL))
    drawn = out.getvalue().removeprefix(HOME).split(f"{CLEAR_LINE}\n")
    assert (len(drawn), max(map(len, drawn))) == (10, 40)
