from __future__ import annotations

from typing import Any

import pytest

from alerting.alert import Kind
from alerting.channels.markup import html
from alerting.notifications.message import (
    SHOWN_LIMIT,
    VALUE_LIMIT,
    line,
    plain,
    subject,
    text,
)
from alerting.rules import Severity
from tests.support.notices import message, notice, resolution

EVIDENCE: dict[str, Any] = {
    "contributors": [
        {"endpoint": "/deals/", "method": "GET", "count": 40, "share": 0.8},
        {"fingerprint": "ab12", "query": "SELECT ? FROM deals"},
    ],
    "code": {"file": "deals/views.py", "line": 17, "function": "receipt"},
    "traces": ["a" * 32, "b" * 32],
}
SILENCE = (
    '{"matchers": {"alertname": "deals_errors", "http.route": "/deals/"}, '
    '"ends_at": "2023-11-15T00:13:20+00:00", "comment": "why"}'
)


def test_the_subject_names_severity_and_rule() -> None:
    assert subject(message()) == "[shop] critical: deals_errors"
    assert subject(message(project="")) == "critical: deals_errors"


def test_only_the_subject_of_a_resolution_says_resolved() -> None:
    assert subject(message(resolution())) == "[shop] resolved: deals_errors"


def test_the_subject_of_several_alerts_names_the_worst_and_counts() -> None:
    mild = notice(name="slow", severity=Severity.WARNING)

    assert subject(message(mild, notice(), notice())) == (
        "[shop] critical: deals_errors, slow (3 alerts)"
    )


def test_no_name_adds_a_header_to_the_subject() -> None:
    evil = notice(name="x\r\nBcc: eve@example.org\x00\u2028y")

    assert subject(message(evil)) == "[shop] critical: x Bcc: eve@example.org y"


def test_a_subject_is_not_endless() -> None:
    many = [notice(name=f"rule_number_{n}") for n in range(40)]

    assert len(subject(message(*many))) <= 180


def test_the_text_says_what_how_bad_how_long_and_why() -> None:
    detailed = notice(
        evidence=EVIDENCE,
        annotations={"summary": "Deals fail", "impact": "no\nmoney"},
        rule_labels=(("team", "payments"),),
        runbook_url="https://wiki.example.org/deals",
    )

    assert text(message(detailed)).splitlines() == [
        "deals_errors: critical (firing)",
        "Deals fail: 25 % > 20 %",
        "",
        "value:      http.server.request.error_rate = 25 %, threshold > 20 % over 5 min",
        "since:      2023-11-14 22:12:20 UTC (for 1 min)",
        "label:      team = payments",
        "label:      http.route = /deals/",
        "top:        GET /deals/ (80 %, 40 times)",
        "top:        SELECT ? FROM deals ab12",
        "code:       deals/views.py:17 in receipt",
        f"trace:      {'a' * 32}",
        f"trace:      {'b' * 32}",
        "impact:     no money",
        "runbook:    https://wiki.example.org/deals",
        f"silence:    POST /api/alerting/silences/ {SILENCE}",
        f"alert:      {detailed.alert_id}",
    ]


def test_the_text_of_a_resolution_says_when_it_began_and_ended() -> None:
    lines = text(message(resolution())).splitlines()

    assert lines[0] == "deals_errors: resolved"
    assert "fired:      2023-11-14 22:13:20 UTC" in lines
    assert "resolved:   2023-11-14 22:23:20 UTC" in lines


def test_an_escalation_says_what_it_was_before() -> None:
    worse = notice(kind=Kind.ESCALATED, previous_severity=Severity.WARNING)

    assert "before:     warning" in text(message(worse))


def test_a_rule_in_code_has_no_value_to_show() -> None:
    plain_notice = notice(metric="", value=None, threshold=None, labels=())

    assert "value:" not in text(message(plain_notice))


def test_a_value_without_threshold_stands_alone() -> None:
    lines = text(message(notice(threshold=None, window=None))).splitlines()

    assert lines[3] == "value:      http.server.request.error_rate = 25 %"


def test_a_value_is_shown_as_its_rule_aggregates_it() -> None:
    counted = notice(aggregation="count", value=25.0, threshold=20.0)

    lines = text(message(counted)).splitlines()

    assert lines[3] == (
        "value:      count(http.server.request.error_rate) = 25, "
        "threshold > 20 over 5 min"
    )


def test_code_without_function_is_a_place() -> None:
    evidence = {"code": {"file": "a.py", "line": 1, "function": None}}

    assert "code:       a.py:1\n" in text(message(notice(evidence=evidence)))


def test_a_digest_shows_the_worst_and_counts_the_others() -> None:
    many = [notice(severity=Severity.WARNING)] * SHOWN_LIMIT + [notice(name="worst")]

    digest = text(message(*many, is_digest=True))

    assert digest.startswith("21 alerts in one digest, the worst first.")
    assert digest.index("worst: critical") < digest.index("deals_errors: warning")
    assert digest.endswith("… and 1 more: see the alert history.\n")


def test_a_line_says_it_all_for_a_log() -> None:
    assert line(notice()) == "deals_errors firing (critical): Deals fail: 25 % > 20 %"
    assert line(resolution()).startswith("deals_errors resolved (critical): ")


def test_a_line_is_one_line() -> None:
    assert plain("a\nb\tc\x1b[31md") == "a b c [31md"


def test_html_shows_the_same_facts() -> None:
    page = html(message(notice(evidence=EVIDENCE), resolution()))

    assert "<h3>deals_errors: critical</h3>" in page
    assert "<h3>deals_errors: resolved</h3>" in page
    assert "deals/views.py:17 in receipt" in page
    assert page.count("<hr>") == 1


def test_html_escapes_what_was_measured() -> None:
    page = html(message(notice(message="<script>", labels=(("a", "<b>"),))))

    assert "<script>" not in page
    assert "a = &lt;b&gt;" in page


def test_html_counts_what_it_does_not_show() -> None:
    many = [notice()] * (SHOWN_LIMIT + 2)

    assert "… and 2 more." in html(message(*many))


@pytest.mark.parametrize("change", [{}, {"project": "other"}])
def test_the_key_is_the_same_at_every_attempt(change: dict[str, Any]) -> None:
    assert message(**change).key == message().key
    assert message(batch="other").key != message().key


def test_a_value_that_is_too_long_is_cut() -> None:
    long = notice(message="m" * 9_000, labels=(("route", "r" * 9_000),))

    lines = text(message(long)).splitlines()

    assert f"{'m' * VALUE_LIMIT}…" in lines
    assert max(map(len, lines)) < VALUE_LIMIT + 20
