"""The documents of `config/` and `maintenance/`."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from prs_otel.monitoring.schemas.document import Document


class EffectiveSetting(Document):
    """One setting; a change to one that needs a restart is refused.

    `origin` says where the value comes from: nowhere, the settings file, a stored change.
    """

    value: JsonValue
    origin: Literal["default", "settings", "database"]
    default: JsonValue
    needs_restart: bool
    meaning: str


class IgnoredChange(Document):
    """A stored change that is not in force, because the settings file contradicts it by now."""

    key: str
    value: JsonValue
    reason: str


class Follower(Document):
    """A living process and the revision that it works by."""

    host: str
    pid: int
    revision: int


class EffectiveSettings(Document):
    """The settings by key, and how far the latest change has come.

    `distributed_revision` is what processes can read, null while nobody knows.
    """

    revision: int
    distributed_revision: int | None
    settings: dict[str, EffectiveSetting]
    ignored: list[IgnoredChange]
    processes: list[Follower]


class NotDistributed(Document):
    """A change that is kept and will be in force, but that no process can read yet."""

    detail: str
    revision: int
    changes: dict[str, JsonValue]


class SettingChanged(Document):
    """One change; null is what the settings file or else the default says."""

    revision: int
    key: str
    old: JsonValue
    new: JsonValue
    user: str
    time: datetime


class SettingChanges(Document):
    """Who changed what, newest first."""

    items: list[SettingChanged]
    count: int


class MaintenanceRequest(BaseModel):
    """What is to be done."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["cleanup", "reset_counters", "compact"]


class CleanupDone(Document):
    """What was dropped for being too old (`expired`) or too much (`evicted`).

    `removed_rows` counts what alerting has dropped from the database for being too old, by kind;
    `problems` says what kept it from that.
    """

    action: Literal["cleanup"] = "cleanup"
    expired_buckets: int
    evicted_buckets: int
    removed_bytes: int
    removed_queries: int
    removed_processes: int
    removed_rows: dict[str, int]
    problems: list[str]


class ResetDone(Document):
    """Since when everything counts from zero, and what was dropped.

    `missed` processes had not heard of it yet; what they count until then is dropped too.
    """

    action: Literal["reset_counters"] = "reset_counters"
    since: datetime
    removed_buckets: int
    removed_bytes: int
    processes: int
    missed: int


class CompactDone(Document):
    """How many buckets were merged into how many, and the bytes that this has saved."""

    action: Literal["compact"] = "compact"
    merged_buckets: int
    resulting_buckets: int
    freed_bytes: int
