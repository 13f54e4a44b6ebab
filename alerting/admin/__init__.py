"""Alerting in Django's admin: look, acknowledge, silence, and write rules and silences.

Who may do what is the same as in the API: `change_alert` acknowledges, `add_storedsilence`
silences and `delete_storedsilence` ends a silence.
"""

from __future__ import annotations

from alerting.admin.alerts import AlertAdmin
from alerting.admin.records import DeliveryAdmin, ExternalAlertAdmin, RuleChangeAdmin
from alerting.admin.rules import StoredRuleAdmin
from alerting.admin.silences import StoredSilenceAdmin

__all__ = [
    "AlertAdmin",
    "DeliveryAdmin",
    "ExternalAlertAdmin",
    "RuleChangeAdmin",
    "StoredRuleAdmin",
    "StoredSilenceAdmin",
]
