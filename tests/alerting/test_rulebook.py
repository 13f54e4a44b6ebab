from __future__ import annotations

import json
from typing import Any, NoReturn

import pytest
from django.db import DatabaseError

from alerting import stored_rules
from alerting.journal import MemoryJournal
from alerting.models import StoredRule
from alerting.rulebook import RULES, RuleBook
from alerting.rules import AnyRule, Rule, load_rule
from alerting.stored_rules import remove, write
from tests.support.alerting_world import RULE, World, alerts

pytestmark = pytest.mark.django_db

MINE: dict[str, Any] = {**RULE, "name": "mine"}


def book(*in_code: AnyRule, journal: MemoryJournal | None = None) -> RuleBook:
    return RuleBook(lambda: in_code, journal or MemoryJournal())


def store(**fields: Any) -> None:
    write(Rule.load({**MINE, **fields}), user="admin", now=1_000.0)


def fail(*_: object) -> NoReturn:
    raise DatabaseError


def names(of: RuleBook) -> list[str]:
    return [rule.name for rule in of.rules()]


def test_a_rule_is_in_force_from_the_next_evaluation_on() -> None:
    rules = book(load_rule(RULE))
    before = names(rules)
    store()

    assert (before, names(rules)) == (["high_cpu_usage"], ["high_cpu_usage", "mine"])


def test_a_stored_rule_wins_over_one_in_code_until_it_is_removed() -> None:
    in_code = load_rule(RULE)
    rules = book(in_code)
    store(name="high_cpu_usage", threshold=0.5)
    stored = rules.rules()
    remove("high_cpu_usage", user="admin", now=2_000.0)

    assert [rule.rungs[0].threshold for rule in stored] == [0.5]
    assert rules.rules() == (in_code,)


def test_without_the_database_the_stored_rules_are_those_last_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    journal = MemoryJournal()
    store()
    rules = book(journal=journal)
    rules.rules()
    monkeypatch.setattr(stored_rules, "load", fail)

    assert names(rules) == ["mine"]
    assert names(book(journal=journal)) == ["mine"]
    assert names(book()) == []


@pytest.mark.parametrize("document", [b"{", b"5", b'[{"name": 5}]', b"[5]"])
def test_what_the_journal_holds_in_another_format_is_no_rule(
    document: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = MemoryJournal()
    journal.put(RULES, document)
    monkeypatch.setattr(stored_rules, "load", fail)

    assert names(book(journal=journal)) == []


def test_a_rule_the_journal_holds_that_is_none_any_more_harms_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    journal = MemoryJournal()
    journal.put(RULES, json.dumps([{"name": "broken"}, "x", MINE]).encode())
    monkeypatch.setattr(stored_rules, "load", fail)

    assert names(book(journal=journal)) == ["mine"]


def test_a_stored_rule_that_is_none_any_more_harms_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store()
    store(name="broken")
    StoredRule.objects.filter(name="broken").update(definition={"a": 1})
    rules = book()

    assert names(rules) == names(rules) == ["mine"]
    assert len(caplog.messages) == 1


def test_the_alert_of_a_rule_that_is_removed_is_resolved_with_that_reason() -> None:
    store(name="high_cpu_usage")
    world = World(rules=[])
    rules = book()
    world.rules += rules.rules()
    world.step(0.85)
    remove("high_cpu_usage", user="admin", now=world.clock.now)
    world.rules[:] = rules.rules()

    world.step(0.85)

    assert alerts() == [("high_cpu_usage", "warning", "resolved")]
    assert "the rule was removed" in world.channel.sent[-1].notices[0].message
