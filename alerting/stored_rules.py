"""Rules that people have stored: read by the evaluator, written by the API and the admin.

A stored rule takes the place of one in code or settings of the same name, as the later of two
always does; once it is removed, that one is in force again. Every change is written down.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from django.db import router, transaction

from alerting.database import patient
from alerting.history import stored
from alerting.models import RuleChange, StoredRule
from alerting.rules import (
    Aggregation,
    AnyRule,
    CodeRule,
    Rule,
    RuleError,
    format_rule,
)
from alerting.schemas import RuleChangeItem, RuleChanges, RuleItem
from alerting.times import from_datetime, to_datetime, utc

if TYPE_CHECKING:
    from datetime import datetime

    from alerting.status import RuleStatus, Status

__all__ = [
    "LIMIT",
    "STORED",
    "Loaded",
    "TooManyError",
    "changes",
    "definition",
    "exists",
    "is_full",
    "item",
    "listed",
    "load",
    "remove",
    "write",
]

logger = logging.getLogger("prs_otel")

STORED: Final = "stored"
LIMIT: Final = 500
"""How many rules may be stored: an evaluation of so many has a budget of 250 ms."""


class TooManyError(Exception):
    """There are as many stored rules as there may be."""

    def __init__(self) -> None:
        super().__init__(
            f"There may be {LIMIT} stored rules, and there are; remove one first."
        )


@dataclass(frozen=True, slots=True)
class Loaded:
    """The stored rules, and why some of them are none: a release may know fewer fields."""

    rules: tuple[Rule, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)


@patient
def load() -> Loaded:
    """Read all stored rules; raises what a database raises."""
    rules, problems = [], {}
    rows = stored(StoredRule).order_by("name").values_list("name", "definition")
    for name, document in rows[:LIMIT]:
        try:
            rules.append(Rule.load({**document, "name": name}))
        except (RuleError, TypeError) as error:
            problems[name] = str(error)
    return Loaded(tuple(rules), problems)


def exists(name: str) -> bool:
    """Tell whether a rule of that name is stored."""
    return stored(StoredRule).filter(name=name).exists()


def is_full() -> bool:
    """Tell whether there are as many as there may be."""
    return stored(StoredRule).count() >= LIMIT


def write(rule: Rule, *, user: str, now: float) -> None:
    """Store a rule in place of what is stored under its name; raises `TooManyError`."""
    with transaction.atomic(using=router.db_for_write(StoredRule)):
        rows = stored(StoredRule).select_for_update()
        before = rows.filter(name=rule.name).first()
        if before is None and is_full():
            raise TooManyError
        document = definition(rule)
        stored(StoredRule).update_or_create(
            name=rule.name,
            defaults={
                "definition": document,
                "updated_at": to_datetime(now),
                "updated_by": user,
            },
        )
        old = None if before is None else before.definition
        _note(rule.name, old, document, user=user, now=now)


def remove(name: str, *, user: str, now: float) -> bool:
    """Remove a stored rule; tell whether there was one."""
    with transaction.atomic(using=router.db_for_write(StoredRule)):
        before = stored(StoredRule).select_for_update().filter(name=name).first()
        if before is None:
            return False
        before.delete()
        _note(name, before.definition, None, user=user, now=now)
    return True


def _note(name: str, old: object, new: object, *, user: str, now: float) -> None:
    stored(RuleChange).create(
        name=name, old=old, new=new, user=user, at=to_datetime(now)
    )


def definition(rule: Rule) -> dict[str, Any]:
    """Return the fields of a rule that are not as they are by default, as JSON has them."""
    fields = rule.model_dump(mode="json", exclude_defaults=True)
    # What is usual depends on the metric, and may be something else in another release.
    fields["aggregation"] = rule.aggregation.value
    if rule.aggregation is not Aggregation.ABSENT:
        fields["threshold"] = rule.model_dump(mode="json", include={"threshold"})[
            "threshold"
        ]
    return fields


def changes(*, limit: int, offset: int) -> RuleChanges:
    """Return who changed which rule, the latest first."""
    rows = stored(RuleChange).order_by("-id")
    items = [
        RuleChangeItem(
            name=row.name, old=row.old, new=row.new, user=row.user, time=_shown(row.at)
        )
        for row in rows[offset : offset + limit]
    ]
    return RuleChanges(items=items, count=rows.count())


def listed(
    in_code: Sequence[tuple[str, AnyRule]], status: Status | None = None
) -> list[RuleItem]:
    """Return every rule in force, with its origin and, as published, its health."""
    health = {rule.name: rule for rule in status.rules} if status else {}
    found = load()
    written = {
        row.name: row
        for row in stored(StoredRule).only("name", "updated_at", "updated_by")
    }
    names = written.keys()
    items = [
        _item(origin, rule, health.get(rule.name))
        for origin, rule in in_code
        if rule.name not in names
    ]
    items += [
        _item(STORED, rule, health.get(rule.name)).model_copy(
            update=_by(written.get(rule.name))
        )
        for rule in found.rules
    ]
    items += [
        RuleItem(name=name, origin=STORED, health="error", last_error=problem)
        for name, problem in found.problems.items()
    ]
    return sorted(items, key=lambda each: each.name)


def item(name: str, in_code: Sequence[tuple[str, AnyRule]]) -> RuleItem:
    """Return one rule in force; raises `LookupError`."""
    for each in listed(in_code):
        if each.name == name:
            return each
    raise LookupError(name)


def _item(origin: str, rule: AnyRule, health: RuleStatus | None) -> RuleItem:
    is_code = isinstance(rule, CodeRule)
    return RuleItem(
        name=rule.name,
        origin=origin,
        text=None if isinstance(rule, CodeRule) else format_rule(rule),
        definition=None if isinstance(rule, CodeRule) else definition(rule),
        is_condition=is_code,
        severities=[rung.severity for rung in rule.rungs],
        health="unknown" if health is None else health.health,
        last_error="" if health is None else health.last_error,
    )


def _by(row: StoredRule | None) -> dict[str, object]:
    if row is None:
        return {}
    return {"updated_at": _shown(row.updated_at), "updated_by": row.updated_by}


def _shown(moment: datetime) -> datetime:
    return utc(from_datetime(moment))
