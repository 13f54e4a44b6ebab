"""Rules, alerts and notifications on top of a metric source.

    from alerting import alert_rule, alerting_system

Both may be imported before Django's applications are ready.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alerting.rules import Rule as Rule
    from alerting.rules import RuleError as RuleError
    from alerting.system import alert_rule as alert_rule
    from alerting.system import alerting_system as alerting_system

_FACE = {
    "Rule": "alerting.rules",
    "RuleError": "alerting.rules",
    "alert_rule": "alerting.system",
    "alerting_system": "alerting.system",
}

__all__ = [*_FACE]  # noqa: PLE0604 - the keys are strings


def __getattr__(name: str) -> object:
    if name not in _FACE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_FACE[name]), name)
