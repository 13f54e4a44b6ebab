"""The rules in force: those of code and settings, and those that people have stored."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from alerting import stored_rules
from alerting.history import DATABASE_ERRORS
from alerting.rules import AnyRule, Rule, RuleError
from alerting.stored_rules import Loaded, definition

if TYPE_CHECKING:
    from alerting.journal import Journal

__all__ = ["RULES", "RuleBook"]

logger = logging.getLogger("prs_otel")

RULES: Final = "alerting/rules"
"""The key under which the journal keeps the stored rules, for while the database is away."""


class RuleBook:
    """Hands out the rules of each evaluation. Used by the evaluator's thread alone."""

    def __init__(
        self, in_code: Callable[[], Sequence[AnyRule]], journal: Journal
    ) -> None:
        self._in_code = in_code
        self._journal = journal
        self._known: Loaded | None = None

    def rules(self) -> tuple[AnyRule, ...]:
        """Return the rules in force now; the later of two with one name wins."""
        stored = self._stored()
        by_name = {rule.name: rule for rule in (*self._in_code(), *stored.rules)}
        return tuple(by_name.values())

    def _stored(self) -> Loaded:
        try:
            found = stored_rules.load()
        except DATABASE_ERRORS:
            # The ledger meets the same trouble, and tells.
            self._known = self._known or self._remembered()
            return self._known
        if found != self._known:
            self._remember(found)
            self._known = found
        return found

    def _remember(self, found: Loaded) -> None:
        for problem in found.problems.values():
            logger.error("A stored alert rule is left out: %s", problem)
        documents = [definition(rule) for rule in found.rules]
        self._journal.put(RULES, json.dumps(documents).encode())

    def _remembered(self) -> Loaded:
        document = self._journal.get(RULES)
        try:
            entries = list(json.loads(document or b"[]"))
        except (TypeError, ValueError):
            logger.warning("the stored alert rules cannot be read from the store")
            return Loaded()
        found = (_loaded(entry) for entry in entries)
        return Loaded(tuple(rule for rule in found if rule is not None))


def _loaded(entry: Any) -> Rule | None:  # noqa: ANN401 - whatever JSON holds
    try:
        return Rule.load(entry)
    except (AttributeError, RuleError, TypeError, ValueError) as error:
        # Another release may have written it; the others are in force all the same.
        logger.warning("a stored alert rule cannot be read from the store: %s", error)
        return None
