"""The one place that reads `ALERTING_SETTINGS`.

`current()` never raises for a wrong value: that key has its default, or that rule or
channel is left out; the mistake is one log line and a system-check error (`checks.py`).
Reading is cached until `override_settings` changes the setting.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string
from pydantic import ValidationError

from alerting.channels import (
    WITHOUT_OPTIONS,
    ChannelEntry,
    OptionError,
    build_channel,
)
from alerting.channels.address import without_addresses
from alerting.mistakes import SETTING, Kind, Problem, invalid, shown, unknown
from alerting.overlay import Ignored, overlaid
from alerting.rules import AnyRule, RuleError, load_rule
from alerting.settings_model import AlertingSettings
from alerting.webhook.credentials import OPEN, Secrets

__all__ = [
    "SETTING",
    "AlertingSettings",
    "Ignored",
    "Kind",
    "Problem",
    "change",
    "changed_by",
    "current",
    "problems",
    "rules",
    "webhook_secrets",
    "written",
]

logger = logging.getLogger("prs_otel")


@dataclass(frozen=True, slots=True)
class _Loaded:
    base: AlertingSettings
    settings: AlertingSettings
    rules: tuple[AnyRule, ...]
    problems: tuple[Problem, ...]


_loaded: _Loaded | None = None
_changes: Mapping[str, object] = {}


def current() -> AlertingSettings:
    """Return the settings in force; `channels` has only those that can be built."""
    return _load().settings


def written() -> Mapping[str, object]:
    """Return what the settings file says, empty where that is no dictionary."""
    raw = getattr(settings, SETTING, {})
    return raw if isinstance(raw, Mapping) else {}


def change(changes: Mapping[str, object]) -> None:
    """Put `changes` over what the settings file says, in place of earlier ones.

    Thread-safe. What cannot be in force by now is left out, with a log line.
    """
    global _changes, _loaded
    if changes != _changes:
        _changes, _loaded = dict(changes), None


def changed_by(
    changes: Mapping[str, object],
) -> tuple[AlertingSettings, list[Ignored]]:
    """Return what is in force with `changes`, and those of them that cannot be."""
    return overlaid(_load().base, changes)


def rules() -> tuple[AnyRule, ...]:
    """Return the rules in the settings, without those that are wrong."""
    return _load().rules


def problems() -> tuple[Problem, ...]:
    """Return every mistake in the settings.

    Imports what dotted paths name: call it once Django's applications are ready.
    """
    return _load().problems


def webhook_secrets() -> Secrets | None:
    """Return who may post to the webhook; None for nobody, as the setting is wrong."""
    loaded = _load()
    if any(problem.key in {"", "WEBHOOK_SECRET"} for problem in loaded.problems):
        return None
    return loaded.settings.webhook_secret or OPEN


def _load() -> _Loaded:
    global _loaded
    known = _loaded
    if known is None:
        changes = _changes
        found: list[Problem] = []
        read = _read(getattr(settings, SETTING, {}), found)
        loaded_rules = tuple(_rules(read.rules, found))
        channels = tuple(_channels(read.channels, found))
        for problem in found:
            logger.error("%s %s", problem.message, problem.hint)
        base = read.model_copy(update={"channels": channels})
        final, ignored = overlaid(base, changes)
        for each in ignored:
            logger.warning(
                "The change of %s is not in force: %s", each.key, each.reason
            )
        known = _Loaded(base, final, loaded_rules, tuple(found))
        # Unless another thread has changed something meanwhile.
        if changes is _changes:
            _loaded = known
    return known


def _read(raw: object, found: list[Problem]) -> AlertingSettings:
    if not isinstance(raw, Mapping):
        found.append(
            Problem(
                "shape",
                "",
                f"{SETTING} cannot be {shown(raw)}.",
                f"Write a dictionary, such as {SETTING} = {{}}.",
            )
        )
        return AlertingSettings()
    fields = {name.upper(): name for name in AlertingSettings.model_fields}
    found += [unknown(key, fields) for key in raw if key not in fields]
    values = {fields[key]: value for key, value in raw.items() if key in fields}
    try:
        return AlertingSettings(**values)
    except ValidationError as error:
        wrong = dict.fromkeys(str(detail["loc"][0]) for detail in error.errors())
        found += [invalid(name, values[name]) for name in wrong]
        # Each key is judged by itself, so what is left is right.
        return AlertingSettings(**{k: v for k, v in values.items() if k not in wrong})


def _rules(entries: Sequence[object], found: list[Problem]) -> Iterator[AnyRule]:
    loaded: dict[str, AnyRule] = {}
    for at, entry in enumerate(entries):
        try:
            rule = _rule(entry, loaded)
        except Exception as error:  # noqa: BLE001 - an import runs the project's code
            is_ours = isinstance(error, RuleError)
            text = str(error) if is_ours else f"{type(error).__name__}: {error}"
            message = f"{SETTING}['RULES'][{at}] is left out: {text}."
            hint = "Until it is right the other rules are in force."
            found.append(Problem("rule", "RULES", message, hint))
        else:
            loaded[rule.name] = rule
    yield from loaded.values()


def _rule(entry: object, others: Mapping[str, AnyRule]) -> AnyRule:
    rule = load_rule(_imported(entry))
    if rule.name in others:
        raise RuleError(rule.name, ("there is another rule of this name",))
    return rule


def _imported(entry: object) -> object:
    """Import what a dotted path names: a rule, or the condition of one."""
    if isinstance(entry, str):
        return import_string(entry)
    if isinstance(entry, Mapping) and isinstance(entry.get("condition"), str):
        return {**entry, "condition": import_string(entry["condition"])}
    return entry


def _channels(entries: Sequence[object], found: list[Problem]) -> Iterator[object]:
    names: set[str] = set()
    for entry in entries:
        try:
            read = ChannelEntry.read(entry)
            name = build_channel(read).name
            _refuse_another(read, is_taken=name in names)
        except Exception as error:  # noqa: BLE001 - an import runs the project's code
            found.append(_wrong_channel(entry, error))
        else:
            names.add(name)
            yield entry if isinstance(entry, str) else read


def _refuse_another(entry: ChannelEntry, *, is_taken: bool) -> None:
    # To write a name twice has never been a mistake.
    if is_taken and entry.options:
        raise OptionError("there is another of that name; write a 'name' of its own")


def _wrong_channel(entry: object, error: Exception) -> Problem:
    what = entry
    if isinstance(entry, Mapping):
        what = entry.get("name", entry.get("type"))
    text = f"{SETTING}['CHANNELS'] cannot have {shown(what)}: {error}."
    hint = "The options of each type are in docs/channels.md."
    if isinstance(entry, str):
        plain = ", ".join(map(repr, WITHOUT_OPTIONS))
        hint = f"Write {plain} or the dotted path of a channel class. {hint}"
    return Problem("channel", "CHANNELS", without_addresses(text), hint)


def _forget(*, setting: str, **_: object) -> None:
    """Read the settings anew after a test has overridden them."""
    global _loaded
    if setting == SETTING:
        _loaded = None


setting_changed.connect(_forget)
