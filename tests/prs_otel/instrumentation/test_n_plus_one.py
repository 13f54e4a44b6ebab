from __future__ import annotations

from prs_otel.instrumentation.n_plus_one import Finding, Repeat, conclude, findings
from prs_otel.observation import RequestContext, Thresholds

SITE = ("deals/views.py", 12, "listing")
MS = 1_000_000
THRESHOLDS = Thresholds(n_plus_one_count=5, n_plus_one_duration=50 * MS)


def found(**repeats: Repeat) -> tuple[Finding, ...]:
    return findings(repeats, threshold=5, min_duration_ns=50 * MS)


def test_a_statement_repeated_often_and_for_long_enough_is_a_finding() -> None:
    assert found(f1=(5, 50 * MS, SITE)) == (Finding("f1", 5, 50 * MS, SITE),)


def test_a_few_repetitions_are_none() -> None:
    assert found(f1=(4, 500 * MS, SITE)) == ()


def test_many_at_next_to_no_cost_are_none() -> None:
    assert found(f1=(500, 49 * MS, SITE)) == ()


def test_the_costliest_comes_first() -> None:
    findings = found(f1=(9, 60 * MS, None), f2=(5, 90 * MS, SITE))

    assert [each.fingerprint for each in findings] == ["f2", "f1"]


def test_a_request_of_too_few_queries_is_not_looked_through() -> None:
    request = RequestContext()
    for _ in range(4):
        request.add_query("f1", 500 * MS)
    conclude(request, THRESHOLDS)
    before = request.findings
    request.add_query("f1", 500 * MS)
    conclude(request, THRESHOLDS)

    assert before == ()
    assert request.findings == (Finding("f1", 5, 2_500 * MS),)
