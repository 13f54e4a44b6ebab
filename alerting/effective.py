"""The settings in force, where they come from, and who works by them. Secrets are not shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from alerting import conf
from alerting.channels import ChannelEntry
from alerting.overlay import FOLLOWED
from alerting.settings_model import AlertingSettings

if TYPE_CHECKING:
    from alerting.following import Changed

__all__ = [
    "EffectiveSetting",
    "EffectiveSettings",
    "IgnoredChange",
    "SettingChanged",
    "SettingChanges",
    "effective_settings",
]

HIDDEN: Final = "…"
"""What is shown in place of a secret that is set."""


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True)


class EffectiveSetting(_Document):
    """One setting; a change to one that needs a restart is refused.

    `origin` says where the value comes from: nowhere, the settings file, a stored change.
    """

    value: JsonValue
    origin: Literal["default", "settings", "database"]
    default: JsonValue
    needs_restart: bool
    meaning: str


class IgnoredChange(_Document):
    """A stored change that is not in force, because the settings file contradicts it by now."""

    key: str
    value: JsonValue
    reason: str


class EffectiveSettings(_Document):
    """The settings by key, and how far the latest change has come.

    `evaluated_revision` is what the latest evaluation went by, null while nobody evaluates.
    """

    revision: int
    evaluated_revision: int | None
    settings: dict[str, EffectiveSetting]
    ignored: list[IgnoredChange]


class SettingChanged(_Document):
    """One change; null is what the settings file or else the default says."""

    revision: int
    key: str
    old: JsonValue
    new: JsonValue
    user: str
    time: datetime


class SettingChanges(_Document):
    """Who changed what, newest first."""

    items: list[SettingChanged]
    count: int


def effective_settings(stored: Changed, *, evaluated: int | None) -> EffectiveSettings:
    """Return what is in force by `stored`; `evaluated` is the evaluator's revision."""
    loaded, ignored = conf.changed_by(stored.changes)
    in_force = stored.changes.keys() - {each.key for each in ignored}
    return EffectiveSettings(
        revision=stored.revision,
        evaluated_revision=evaluated,
        settings={
            name.upper(): _setting(name, loaded, in_force)
            for name in AlertingSettings.model_fields
        },
        ignored=[
            IgnoredChange(key=each.key, value=_plain(each.value), reason=each.reason)
            for each in ignored
        ],
    )


def _setting(
    name: str, loaded: AlertingSettings, in_force: Iterable[str]
) -> EffectiveSetting:
    key, info = name.upper(), AlertingSettings.model_fields[name]
    return EffectiveSetting(
        value=_shown(name, getattr(loaded, name)),
        origin=_origin(key, in_force),
        default=_shown(name, info.default),
        needs_restart=key not in FOLLOWED,
        meaning=info.description or "",
    )


def _origin(
    key: str, in_force: Iterable[str]
) -> Literal["default", "settings", "database"]:
    if key in in_force:
        return "database"
    return "settings" if key in conf.written() else "default"


def _shown(name: str, value: Any) -> JsonValue:  # noqa: ANN401 - the value of any setting
    if name == "rules":
        # What they say is in the list of rules, for those who may read it.
        return [rule.name for rule in conf.rules()] if value else []
    if name == "channels":
        return [_channel(ChannelEntry.read(entry)) for entry in value]
    if name == "webhook_secret":
        return HIDDEN if value is not None and value.are_set else None
    if name == "dead_mans_switch_url":
        return None if value is None else str(value)
    return _plain(value)


def _channel(entry: ChannelEntry) -> JsonValue:
    return {"name": entry.name, "type": entry.type}


def _plain(value: Any) -> JsonValue:  # noqa: ANN401 - as above
    if isinstance(value, BaseModel):
        return _plain(value.model_dump(mode="json"))
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    found: JsonValue = value
    return found
