from __future__ import annotations

from alerting.rules import Severity


def test_severities_have_an_order() -> None:
    ranked = sorted(Severity, key=lambda severity: severity.rank)

    assert ranked == ["info", "warning", "error", "critical"]
