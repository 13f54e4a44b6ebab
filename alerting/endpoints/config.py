"""`config/`: the settings in force, and changes of them that need no restart."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from ninja import Body, Query, Router
from pydantic import Field, JsonValue, TypeAdapter

from alerting import conf
from alerting.effective import (
    EffectiveSettings,
    SettingChanged,
    SettingChanges,
    effective_settings,
)
from alerting.endpoints.answers import REFUSALS, WITH_BODY, Page, answer
from alerting.following import Changed
from alerting.overlay import FOLLOWED, Refusal, RefusedError, refusals
from alerting.schemas import Error, InvalidParameter, InvalidRequest
from alerting.settings_model import AlertingSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ninja import NinjaAPI
    from pydantic.fields import FieldInfo

    from alerting.endpoints.site import ChangeableSettings, Site

__all__ = ["build_router", "install_error_handlers"]

Key = Annotated[str, Field(max_length=80)]
Asked = Annotated[dict[Key, JsonValue], Body(max_length=100)]


def build_router(site: Site, changeable: ChangeableSettings) -> Router:
    """Return the endpoints; `changeable` knows what is stored, and who may change it."""
    router = Router(tags=["administration"])
    kept = changeable.kept

    def in_force() -> HttpResponse:
        evaluator = site.status(time.time()).evaluator
        evaluated = None if evaluator is None else evaluator.revision
        return answer(
            effective_settings(Changed.of(kept.stored()), evaluated=evaluated)
        )

    @router.get(
        "",
        auth=list(changeable.may_read),
        response={200: EffectiveSettings, **REFUSALS},
    )
    def settings_in_force(request: HttpRequest) -> HttpResponse:
        """Return every setting with its origin, and by which revision rules are evaluated."""
        return in_force()

    @router.post(
        "",
        auth=list(changeable.may_change),
        response={200: EffectiveSettings, 409: Error, **WITH_BODY},
        openapi_extra={"requestBody": request_body()},
    )
    def change_settings(request: HttpRequest, changes: Asked) -> HttpResponse:
        """Change settings, in force at the next evaluation; null takes a change back."""
        user: Any = getattr(request, "auth", None)
        kept.change(changes, judge=_judge, user=user, now=timezone.now())
        return in_force()

    @router.get(
        "changes/",
        auth=list(changeable.may_read),
        response={200: SettingChanges, **REFUSALS},
    )
    def changes_of_settings(request: HttpRequest, page: Query[Page]) -> HttpResponse:
        """Return who changed which setting, when, from what to what; newest first."""
        rows, count = kept.audit(limit=page.limit, offset=page.offset)
        items = [SettingChanged(**row) for row in rows]
        return answer(SettingChanges(items=items, count=count))

    return router


def request_body() -> dict[str, Any]:
    """Return the OpenAPI description: every key that can be changed, with its bounds."""
    properties = {
        name.upper(): _property(info)
        for name, info in AlertingSettings.model_fields.items()
        if name.upper() in FOLLOWED
    }
    schema = {
        "title": "Changes",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def install_error_handlers(api: NinjaAPI, changeable: ChangeableSettings) -> None:
    """Answer 422 for what cannot be a setting, and 409 where others were always first."""
    api.add_exception_handler(RefusedError, _refused)
    api.add_exception_handler(changeable.contended, _contended)


def _judge(asked: Mapping[str, object], stored: Mapping[str, object]) -> None:
    found: list[Refusal] = refusals(asked, base=conf.changed_by({})[0])
    if found:
        raise RefusedError(found)


def _property(info: FieldInfo) -> dict[str, Any]:
    kind: Any = Annotated[info.annotation, *info.metadata]
    schema = TypeAdapter(kind).json_schema()
    return {
        "anyOf": [_inlined(schema, schema.pop("$defs", {})), {"type": "null"}],
        "description": info.description or "",
    }


def _inlined(schema: Any, named: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any part of a schema
    """Return a schema without references, which would mean another document's."""
    if isinstance(schema, list):
        return [_inlined(each, named) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(named[schema["$ref"].rpartition("/")[2]], named)
    return {key: _inlined(each, named) for key, each in schema.items()}


def _refused(
    request: HttpRequest, error: RefusedError | type[RefusedError]
) -> HttpResponse:
    """Name each key, its value and what to write."""
    found = error.refusals if isinstance(error, RefusedError) else []
    detail = [
        InvalidParameter(type=each.kind, loc=["body", each.key], msg=each.message)
        for each in found
    ]
    return answer(InvalidRequest(detail=detail), status=422)


def _contended(
    request: HttpRequest, error: Exception | type[Exception]
) -> HttpResponse:
    detail = (
        "Others are changing settings at this moment; nothing was changed. Try again."
    )
    return JsonResponse({"detail": detail}, status=409)
