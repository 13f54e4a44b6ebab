"""What is wrong with `ALERTING_SETTINGS`, in words that repeat no secret."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from alerting.channels.address import without_addresses
from alerting.channels.options import Write
from alerting.settings_model import AlertingSettings

__all__ = ["SETTING", "Kind", "Problem", "expected", "invalid", "shown", "unknown"]

SETTING: Final = "ALERTING_SETTINGS"
VALUE_LIMIT: Final = 80  # characters of a wrong value that a message repeats

Kind = Literal["shape", "unknown", "value", "rule", "channel"]

# No message repeats what these are set to.
_SECRET: Final = frozenset({"dead_mans_switch_url", "webhook_secret"})


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in the settings, in words for the person who made it."""

    kind: Kind
    key: str
    message: str
    hint: str


def unknown(key: object, known: Mapping[str, str]) -> Problem:
    """Return what to say of a key that is no setting."""
    near = difflib.get_close_matches(str(key).upper(), known, n=1)
    advice = f"Write {near[0]!r}" if near else f"Choose from {', '.join(sorted(known))}"
    message = f"{SETTING}[{shown(key)}] is not a setting."
    return Problem("unknown", str(key), message, f"{advice}, or remove the key.")


def invalid(name: str, value: object) -> Problem:
    """Return what to say of a wrong value of the field `name`."""
    field = AlertingSettings.model_fields[name]
    is_secret = name in _SECRET or _describes_channels(name, value)
    text = "what it is" if is_secret else without_addresses(shown(value))
    message = f"{SETTING}[{name.upper()!r}] cannot be {text}."
    hint = f"Write {expected(name)}. Until then {field.default!r} is used."
    return Problem("value", name.upper(), message, hint)


def expected(name: str) -> str:
    """Return what to write into the field `name`."""
    metadata = AlertingSettings.model_fields[name].metadata
    return next(each.text for each in metadata if isinstance(each, Write))


def shown(value: object) -> str:
    """Return `value` as a message repeats it."""
    text = repr(value)
    return text if len(text) <= VALUE_LIMIT else f"{text[:VALUE_LIMIT]}…"


def _describes_channels(name: str, value: object) -> bool:
    each = value if isinstance(value, list | tuple) else [value]
    return name == "channels" and any(isinstance(item, Mapping) for item in each)
