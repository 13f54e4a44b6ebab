"""Put changes made at run time over what `ALERTING_SETTINGS` says, and judge them before.

Whatever code, an address or a secret may be in is written into the settings file alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from alerting.channels import build_channels
from alerting.mistakes import SETTING, expected, invalid, shown, unknown
from alerting.settings_model import AlertingSettings

__all__ = ["FOLLOWED", "Ignored", "Refusal", "RefusedError", "overlaid", "refusals"]

_FIELDS: Final = {name.upper(): name for name in AlertingSettings.model_fields}
_OF_THE_FILE: Final = frozenset(
    {"RULES", "CHANNELS", "DEAD_MANS_SWITCH_URL", "WEBHOOK_SECRET"}
)
FOLLOWED: Final = frozenset(_FIELDS) - _OF_THE_FILE
"""The keys that can be changed while the project runs."""
_TELLING: Final = ("ROUTES", "ESCALATIONS")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one key cannot be changed to that value, and what to write instead."""

    key: str
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """A change that is kept but not in force, and why."""

    key: str
    value: object
    reason: str


class RefusedError(Exception):
    """Report that changes are not valid, with every reason."""

    def __init__(self, refusals: list[Refusal]) -> None:
        super().__init__("; ".join(refusal.message for refusal in refusals))
        self.refusals = refusals


def refusals(asked: Mapping[str, object], *, base: AlertingSettings) -> list[Refusal]:
    """Return what is wrong with the changes `asked`; `None` takes one back.

    `base` is what the settings file says: only its channels can be named.
    """
    found = (_refusal(key, value, base) for key, value in asked.items())
    return [each for each in found if each is not None]


def overlaid(
    base: AlertingSettings, changes: Mapping[str, object]
) -> tuple[AlertingSettings, list[Ignored]]:
    """Return `base` with `changes` over it, and those that cannot be in force by now."""
    values, ignored = {}, []
    for key, value in changes.items():
        refused = _refusal(key, value, base)
        if refused is None:
            values[_FIELDS[key]] = _read(_FIELDS[key], value)
        else:
            ignored.append(Ignored(key, value, refused.message))
    return base.model_copy(update=values), ignored


def _refusal(key: str, value: object, base: AlertingSettings) -> Refusal | None:
    if key not in _FIELDS:
        problem = unknown(key, _FIELDS)
        return Refusal(key, "unknown", f"{problem.message} {problem.hint}")
    if key not in FOLLOWED:
        message = (
            f"{SETTING}[{key!r}] is read when a process starts. Write it into the "
            "settings file and restart the server."
        )
        return Refusal(key, "restart", message)
    if value is None:
        return None
    name = _FIELDS[key]
    try:
        read = _read(name, value)
    except ValidationError:
        message = f"{invalid(name, value).message} Write {expected(name)}."
        return Refusal(key, "value", message)
    return _strangers(key, read, base)


def _read(name: str, value: object) -> Any:  # noqa: ANN401 - the value of any field
    return getattr(AlertingSettings.model_validate({name: value}), name)


def _strangers(key: str, value: Any, base: AlertingSettings) -> Refusal | None:  # noqa: ANN401 - as above
    """Refuse to tell where there is no channel: nobody would be told at all."""
    if key not in _TELLING:
        return None
    known = [channel.name for channel in build_channels(base.channels)]
    missing = [name for name in _named(value) if name not in known]
    if not missing:
        return None
    message = (
        f"{SETTING}[{key!r}] cannot name the channel {shown(missing[0])}: there is none. "
        f"Choose from {', '.join(known)}."
    )
    return Refusal(key, "value", message)


def _named(entries: Iterable[Any]) -> Iterator[str]:
    for entry in entries:
        yield from entry.channels
