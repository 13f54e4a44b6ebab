"""The settings in force, where they come from, and who works by them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from prs_otel import conf, configuration, pipeline, validation
from prs_otel.conf import FOLLOWED, MonitoringSettings
from prs_otel.distribution import distributed
from prs_otel.monitoring.schemas import (
    EffectiveSetting,
    EffectiveSettings,
    Follower,
    IgnoredChange,
    SettingChanged,
    SettingChanges,
)
from prs_otel.rollup.view import REVISION
from prs_otel.store.base import StoreError

if TYPE_CHECKING:
    from pydantic import JsonValue
    from pydantic.fields import FieldInfo

    from prs_otel.store.base import Beat

Origin = Literal["default", "settings", "database"]


def effective_settings(*, now: float) -> EffectiveSettings:
    """Return what is in force by the database; raises `django.db.Error`.

    A store out of order leaves out only how far it has come.
    """
    stored = configuration.stored()
    loaded, ignored = conf.changed_by(stored.changes)
    in_force = stored.changes.keys() - {each.key for each in ignored}
    revision, beats = _distribution(now)
    return EffectiveSettings(
        revision=stored.revision,
        distributed_revision=revision,
        settings={
            field.upper(): _setting(field, info, loaded, in_force)
            for field, info in MonitoringSettings.model_fields.items()
        },
        ignored=[
            IgnoredChange(key=each.key, value=_shown(each.value), reason=each.reason)
            for each in ignored
        ],
        processes=[
            Follower(
                host=beat.host,
                pid=beat.pid,
                revision=int(beat.figures[REVISION]),
            )
            for beat in beats
            # A process that has ended says nothing of it in its last words.
            if REVISION in beat.figures
        ],
    )


def setting_changes(*, limit: int, offset: int) -> SettingChanges:
    """Return who changed what, newest first; raises `django.db.Error`."""
    rows = configuration.MONITORING.audit()
    return SettingChanges(
        items=[
            SettingChanged(
                revision=row.revision,
                key=row.key,
                old=row.old,
                new=row.new,
                user=row.username,
                time=row.changed_at,
            )
            for row in rows[offset : offset + limit]
        ],
        count=rows.count(),
    )


def _distribution(now: float) -> tuple[int | None, list[Beat]]:
    if not pipeline.is_enabled():
        return None, []
    try:
        found = distributed(pipeline.store())
        revision = None if found is None else found.revision
        return revision, pipeline.view().processes(now=now)
    except StoreError:
        return None, []


def _setting(
    field: str, info: FieldInfo, loaded: MonitoringSettings, in_force: set[str]
) -> EffectiveSetting:
    key = field.upper()
    value = getattr(loaded, field)
    if field == "store" and value is None:
        value = conf.default_store_url()
    return EffectiveSetting(
        value=_shown(value),
        origin=_origin(key, in_force, conf.written()),
        default=_shown(info.default),
        needs_restart=key not in FOLLOWED,
        meaning=info.description or "",
    )


def _origin(key: str, in_force: set[str], written: Mapping[str, object]) -> Origin:
    if key in in_force:
        return "database"
    return "settings" if key in written else "default"


def _shown(value: Any) -> JsonValue:  # noqa: ANN401 - a value of any setting
    if callable(value):
        name = getattr(value, "__qualname__", type(value).__name__)
        return f"{getattr(value, '__module__', '')}.{name}"
    if isinstance(value, str):
        return validation.without_password(value)
    shown: JsonValue = value
    return shown
