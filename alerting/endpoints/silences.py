"""`silences/`: who is not to be told of what, until when, and because of what."""

from __future__ import annotations

import time
from typing import Annotated, Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Body, Query, Router
from ninja.errors import HttpError
from pydantic import Field, JsonValue, ValidationError

from alerting import stored_silences
from alerting.endpoints.answers import (
    REFUSALS,
    WITH_BODY,
    Page,
    answer,
    name_of_user,
    refusal,
    require,
)
from alerting.notifications.silence import Silence
from alerting.schemas import EndedSilence, Error, SilenceItem, SilenceList

__all__ = ["router"]

_VIEW: Final = "prs_alerting.view_storedsilence"
_ADD: Final = "prs_alerting.add_storedsilence"
_END: Final = "prs_alerting.delete_storedsilence"
_OURS: Final = {"id", "author"}

router = Router(tags=["silences"])
_SCHEMA: Final = Silence.model_json_schema()
_DESCRIBED: Final[dict[str, Any]] = {
    "requestBody": {"content": {"application/json": {"schema": _SCHEMA}}}
}


class SilencePage(Page):
    """Which silences are asked for."""

    is_over: Annotated[bool, Field(alias="over")] = False


@router.get("", response={200: SilenceList, **REFUSALS})
def silences(request: HttpRequest, query: Query[SilencePage]) -> HttpResponse:
    """Return the silences in force and to come; with `over=1` those that have ended."""
    require(request, _VIEW)
    now = time.time()
    rows = stored_silences.rows(now=now, is_over=query.is_over)
    page = rows[query.offset : query.offset + query.limit]
    items = [_item(each, now) for each in stored_silences.read(page)]
    return answer(SilenceList(items=items, count=rows.count()))


@router.post(
    "",
    response={201: SilenceItem, 409: Error, **WITH_BODY},
    openapi_extra=_DESCRIBED,
)
def silence(
    request: HttpRequest, body: Annotated[dict[str, JsonValue], Body()]
) -> HttpResponse:
    """Silence the alerts that match, from the next evaluation on."""
    require(request, _ADD)
    wanted, now = _wanted(body), time.time()
    if wanted.ends_at.timestamp() <= now:
        raise refusal(["ends_at is over already; write a time to come"], "ends_at")
    try:
        made = stored_silences.create(wanted, author=name_of_user(request), now=now)
    except stored_silences.TooManyError as error:
        raise HttpError(409, str(error)) from error
    return answer(_item(made, now), status=201)


@router.delete("{silence_id}/", response={200: EndedSilence, 404: Error, **REFUSALS})
def end_silence(request: HttpRequest, silence_id: UUID) -> HttpResponse:
    """End a silence; what it muted and still fires is told at the next evaluation."""
    require(request, _END)
    if not stored_silences.expire(silence_id, now=time.time()):
        raise HttpError(404, "There is no such silence, or it has ended.")
    return answer(EndedSilence(id=silence_id))


def _wanted(body: dict[str, Any]) -> Silence:
    if given := sorted(_OURS & body.keys()):
        raise refusal([f"{name} is not yours to write; remove it" for name in given])
    try:
        return Silence.model_validate(body)
    except ValidationError as error:
        raise refusal(
            f"{'.'.join(map(str, each['loc'])) or 'the silence'}: {each['msg']}"
            for each in error.errors(include_url=False)
        ) from None


def _item(each: Silence, now: float) -> SilenceItem:
    return SilenceItem(
        **each.model_dump(exclude={"id"}),
        id=UUID(each.id),
        is_active=each.until(now) is not None,
    )
