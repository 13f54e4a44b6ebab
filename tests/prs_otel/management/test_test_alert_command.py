from __future__ import annotations

import pytest
from django.core.management import CommandError

from prs_otel.monitoring import registry
from prs_otel.monitoring.registry import DocumentRequest
from tests.support.commands import manage_monitoring

pytestmark = pytest.mark.usefixtures("measured")


def nobody_told(request: DocumentRequest) -> dict[str, object]:
    return {"rule": request.name, "severity": "warning", "channels": [], "delivered": 0}


def test_the_command_says_when_alerting_is_not_installed() -> None:
    with pytest.raises(CommandError, match='add "alerting"') as caught:
        manage_monitoring("test-alert", "--rule-name=x")

    assert caught.value.returncode == 2


def test_without_any_channel_nobody_can_be_told() -> None:
    registry.register_command_document(registry.TEST_ALERT, nobody_told)

    outcome = manage_monitoring("test-alert", "--rule-name=x")

    assert outcome.exit_code == 2
    assert "No channel is configured" in outcome.text


def test_an_unknown_rule_is_an_error_in_words() -> None:
    def refuse(request: DocumentRequest) -> dict[str, object]:
        raise LookupError(f"There is no rule {request.name!r}. The rules are: a, b")

    registry.register_command_document(registry.TEST_ALERT, refuse)

    with pytest.raises(CommandError, match="The rules are: a, b") as caught:
        manage_monitoring("test-alert", "--rule-name=x")

    assert caught.value.returncode == 2
