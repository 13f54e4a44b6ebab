"""What `POST config/` takes, for people and programs that read the OpenAPI document.

The endpoint itself judges a change as the settings file is judged, in the same words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import TypeAdapter

from prs_otel.conf import FOLLOWED, MonitoringSettings

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


def request_body() -> dict[str, Any]:
    """Return the OpenAPI description: every key that can be changed, with its bounds."""
    properties = {
        field.upper(): _property(info)
        for field, info in MonitoringSettings.model_fields.items()
        if field.upper() in FOLLOWED
    }
    schema = {
        "title": "Changes",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _property(info: FieldInfo) -> dict[str, Any]:
    kind: Any = Annotated[info.annotation, *info.metadata]
    return {
        "anyOf": [TypeAdapter(kind).json_schema(), {"type": "null"}],
        "description": info.description or "",
    }
