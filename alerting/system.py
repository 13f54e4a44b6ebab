"""The Python face of alerting: register rules in code, read the history.

Usable from the first import on, before Django's applications are ready: a rule is only
remembered here, and whoever becomes the evaluator asks for all of them.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload
from uuid import UUID

from alerting.readings import Setting
from alerting.rules import (
    DEFAULT_THRESHOLDS,
    AnyRule,
    Severity,
    built_in_rules,
    load_rule,
)

if TYPE_CHECKING:
    from alerting.explanation import RulesInCode
    from alerting.source import MetricSource
    from alerting.status import Status

__all__ = ["AlertingSystem", "alert_rule", "alerting_system"]

Function = TypeVar("Function", bound=Callable[..., object])


def _no_source() -> MetricSource:
    raise RuntimeError("alerting is not in INSTALLED_APPS, or not ready yet")


def _no_status(now: float) -> Status:
    raise RuntimeError("alerting is not in INSTALLED_APPS, or not ready yet")


def _alert_id(text: str | UUID) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None


class AlertingSystem:
    """The rules of this process. Safe to use from several threads."""

    def __init__(self) -> None:
        self._registered: Mapping[str, AnyRule] = {}
        self._removed: frozenset[str] = frozenset()
        self._lock = threading.Lock()  # protects changes; readers take what there is
        self._thresholds: Callable[[], Mapping[str, float]] = lambda: DEFAULT_THRESHOLDS
        self._source: Callable[[], MetricSource] = _no_source
        self._status: Callable[[float], Status] = _no_status

    def use_thresholds(self, thresholds: Callable[[], Mapping[str, float]]) -> None:
        """Take the thresholds of the built-in rules from `thresholds`."""
        self._thresholds = thresholds

    def use_source(self, source: Callable[[], MetricSource]) -> None:
        """Take the figures that rules are tried out on from `source`."""
        self._source = source

    def use_status(self, status: Callable[[float], Status]) -> None:
        """Take what the evaluator has published from `status`, which is given the time."""
        self._status = status

    def add_alert_rule(self, rule: AnyRule | Mapping[str, Any]) -> AnyRule:
        """Register a rule, in place of one of the same name, and return it.

        Takes a `Rule`, a dictionary of its fields, or an original dictionary (`name`,
        `condition`, `severity`, `message_template`, `cooldown_minutes`). Raises
        `RuleError`. Register in `AppConfig.ready()` or at import, so that every worker
        has the rule: the one that evaluates must be among them.
        """
        loaded = load_rule(rule)
        with self._lock:
            self._registered = {**self._registered, loaded.name: loaded}
            self._removed -= {loaded.name}
        return loaded

    def remove_alert_rule(self, name: str) -> bool:
        """Remove a rule, be it built in, from settings or registered; tell if it was.

        Its open alerts are resolved at the next evaluation.
        """
        with self._lock:
            is_known = name in {rule.name for rule in self.get_rules()}
            self._registered = {k: v for k, v in self._registered.items() if k != name}
            self._removed |= {name}
        return is_known

    def get_rules(self) -> tuple[AnyRule, ...]:
        """Return the rules of code and settings; the later of two with one name wins.

        First the built-in ones, then those in `ALERTING_SETTINGS`, then the registered.
        The evaluator adds those that people have stored.
        """
        return tuple(rule for _, rule in self.rules_by_origin())

    def rules_by_origin(self) -> tuple[tuple[str, AnyRule], ...]:
        """Return the same, each with its origin: built-in, settings or code."""
        from alerting import conf

        by_name = {
            rule.name: (origin, rule)
            for origin, rules in (
                ("built-in", built_in_rules(self._thresholds())),
                ("settings", conf.rules()),
                ("code", tuple(self._registered.values())),
            )
            for rule in rules
        }
        return tuple(
            found for name, found in by_name.items() if name not in self._removed
        )

    def rules_in_code(self) -> RulesInCode:
        """Return the same, and the names of rules that were removed in this process."""
        from alerting.explanation import RulesInCode

        return RulesInCode(self.rules_by_origin(), self._removed)

    def explain(self, rule_or_alert: str | UUID) -> dict[str, Any]:
        """Return, step by step, why a rule or an alert did or did not notify.

        Takes a rule's name, which need not exist, or an alert's id. Raises `LookupError` for
        an alert that there is not.
        """
        from alerting.explanation import explain_alert, explain_why

        alert_id = _alert_id(rule_or_alert)
        if alert_id is None:
            now = time.time()
            name, status = str(rule_or_alert), self._status(now)
            return explain_why(name, status, self.rules_in_code(), now=now).model_dump()
        found = explain_alert(alert_id)
        if found is None:
            raise LookupError(f"there is no alert {alert_id}")
        return found.model_dump()

    def get_alert_history(
        self, hours: float = 24, severity: str | None = None
    ) -> list[dict[str, Any]]:
        """Return the alerts that were open at some time in the last hours, newest first.

        Raises `ValueError` for a severity that does not exist.
        """
        from alerting.documents import Selection, history

        wanted = None if severity is None else Severity(severity)
        selection = Selection(hours=hours, severity=wanted, limit=1_000)
        found = history(selection, now=time.time())
        return [item.model_dump() for item in found.items]

    def test_rule(self, rule: str | AnyRule | Mapping[str, Any]) -> dict[str, Any]:
        """Return what a rule, or the one of that name, would make of the figures of now.

        Without any consequence. Raises `LookupError` for a name that no rule has, and
        `RuleError`; an error in the condition is in the answer.
        """
        from alerting.stored_rules import load
        from alerting.trial import trial

        if isinstance(rule, str):
            known = {each.name: each for each in (*self.get_rules(), *load().rules)}
            if rule not in known:
                raise LookupError(f"there is no rule {rule!r}")
            rule = known[rule]
        setting = Setting(max_gap=math.inf)
        tried = trial(load_rule(rule), self._source(), now=time.time(), setting=setting)
        return tried.model_dump()

    def acknowledge(self, alert_id: str | UUID, *, user: str, note: str = "") -> bool:
        """Say that `user` knows of an open alert; tell whether there is one of that id."""
        from alerting.acknowledgement import acknowledge

        wanted = UUID(str(alert_id))
        return acknowledge(wanted, user=user, note=note, now=time.time())

    def silence(
        self,
        matchers: Mapping[str, str] | Sequence[Mapping[str, str]],
        *,
        hours: float,
        comment: str,
        author: str,
    ) -> str:
        """Let alerts that match not be told for some hours; return the silence's id.

        Raises `ValueError` for what is no matcher, and for more than a year.
        """
        from alerting.stored_silences import create, timed

        wanted = timed(matchers, hours=hours, comment=comment, now=time.time())
        return create(wanted, author=author, now=time.time()).id


alerting_system = AlertingSystem()


@overload
def alert_rule(condition: Function, /) -> Function: ...


@overload
def alert_rule(
    *, name: str | None = None, **fields: object
) -> Callable[[Function], Function]: ...


def alert_rule(
    condition: Callable[..., object] | None = None,
    /,
    *,
    name: str | None = None,
    **fields: object,
) -> object:
    """Register the decorated function as the condition of a rule.

    `fields` are those of an original dictionary: `severity`, `message_template`,
    `cooldown_minutes` …; without `name` the rule is called like the function, and the
    first line of its docstring is the message where there is no template.
    """

    def register(function: Function) -> Function:
        described = (function.__doc__ or "").strip().partition("\n")[0]
        annotations = {"summary": described} if described else {}
        alerting_system.add_alert_rule(
            {
                "name": name or function.__name__,
                "condition": function,
                "annotations": annotations,
                **fields,
            }
        )
        return function

    return register if condition is None else register(condition)
