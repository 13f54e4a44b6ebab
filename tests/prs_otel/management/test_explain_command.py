from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError

from prs_otel.monitoring import registry
from prs_otel.monitoring.registry import DocumentRequest
from tests.support.commands import manage_monitoring

pytestmark = pytest.mark.usefixtures("measured")

ALERT = {
    "alert": {"severity": "warning", "state": "resolved", "message": "CPU \x1b[2Jbusy"},
    "steps": [
        {
            "time": "2026-01-31T12:00:00.5Z",
            "kind": "firing",
            "deliveries": [
                {
                    "channel": "email",
                    "state": "skipped",
                    "reason": "ADMINS is empty",
                    "last_error": "",
                }
            ],
        },
        {"time": "2026-01-31T12:10:00Z", "kind": "resolved", "deliveries": []},
    ],
}


def offer(*reasons: tuple[str, bool, str], alerts: Any = ()) -> None:
    def explain(request: DocumentRequest) -> dict[str, object]:
        steps = [{"step": s, "passes": p, "text": t} for s, p, t in reasons]
        verdict = next((text for _, passes, text in reasons if not passes), "")
        return {
            "rule": request.name,
            "verdict": verdict,
            "reasons": steps,
            "health": None,
            "alerts": list(alerts),
        }

    registry.register_command_document(registry.EXPLANATION, explain)


def test_the_command_says_when_alerting_is_not_installed() -> None:
    with pytest.raises(CommandError, match='add "alerting"') as caught:
        manage_monitoring("explain", "--rule-name=x")

    assert caught.value.returncode == 2


def test_each_step_is_a_line_and_the_verdict_is_the_first() -> None:
    offer(("rule", True, "the rule is there"), ("value", False, "50 % is not > 80 %"))

    outcome = manage_monitoring("explain", "--rule-name=cpu")

    assert outcome.exit_code == 0
    lines = outcome.text.splitlines()
    assert lines[0] == "cpu: 50 % is not > 80 %"
    assert [line.split()[:2] for line in lines[2:]] == [
        ["rule", "yes"],
        ["value", "no"],
    ]


@pytest.mark.parametrize("step", ["rule", "evaluator", "health"])
def test_what_cannot_be_evaluated_at_all_is_a_warning(step: str) -> None:
    offer((step, False, "there is no such thing"))

    assert manage_monitoring("explain", "--rule-name=x").exit_code == 1


def test_who_was_told_of_its_alerts_is_listed() -> None:
    offer(("rule", True, "the rule is there"), alerts=[ALERT])

    text = manage_monitoring("explain", "--rule-name=cpu").text

    assert "cpu: nothing holds it up" in text
    assert "warning, resolved: CPU [2Jbusy" in text
    assert "2026-01-31 12:00:00  firing  email    skipped  ADMINS is empty" in text


def test_json_is_the_document_of_the_api() -> None:
    offer(("rule", True, "the rule is there"))

    document = manage_monitoring("explain", "--rule-name=a", "--format=json").json()

    assert document["rule"] == "a"
