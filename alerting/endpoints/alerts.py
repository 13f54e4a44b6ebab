"""`history/`, `summary/` and `alerts/`: what was, how often, and what is."""

from __future__ import annotations

import time
from typing import Annotated, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Body, Query, Router
from ninja.errors import HttpError
from pydantic import BaseModel, ConfigDict, Field

from alerting import documents
from alerting.acknowledgement import acknowledge
from alerting.alert import State
from alerting.documents import Selection
from alerting.endpoints.answers import (
    REFUSALS,
    WITH_BODY,
    Page,
    answer,
    name_of_user,
    require,
)
from alerting.history import stored
from alerting.models import Alert
from alerting.rules import Severity
from alerting.schemas import AlertItem, CurrentAlerts, Error, History, Summary

__all__ = ["router"]

_ACKNOWLEDGE: Final = "prs_alerting.change_alert"

router = Router(tags=["alerts"])


class Hours(BaseModel):
    """How far back the answer looks."""

    hours: Annotated[float, Field(gt=0, le=8760, allow_inf_nan=False)] = 24.0


class HistoryQuery(Hours):
    """Which alerts are asked for."""

    severity: Severity | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    state: State | None = None
    name: Annotated[str, Field(max_length=200)] | None = None


class Note(BaseModel):
    """What is being done about an alert."""

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, Field(max_length=500)] = ""


@router.get("history/", response={200: History, **REFUSALS})
def history(request: HttpRequest, query: Query[HistoryQuery]) -> HttpResponse:
    """Return the alerts that were open at some time in the last hours."""
    selection = Selection(**query.model_dump())
    return answer(documents.history(selection, now=time.time()))


@router.get("summary/", response={200: Summary, **REFUSALS})
def summary(request: HttpRequest, query: Query[Hours]) -> HttpResponse:
    """Count the alerts that were open at some time in the last hours."""
    return answer(documents.summary(hours=query.hours, now=time.time()))


@router.get("alerts/", response={200: CurrentAlerts, **REFUSALS})
def alerts(request: HttpRequest, page: Query[Page]) -> HttpResponse:
    """Return the alerts that are open, the worst first."""
    return answer(documents.current(limit=page.limit, offset=page.offset))


@router.post(
    "alerts/{alert_id}/acknowledge/", response={200: AlertItem, 404: Error, **WITH_BODY}
)
def acknowledge_alert(
    request: HttpRequest, alert_id: UUID, body: Annotated[Note | None, Body()] = None
) -> HttpResponse:
    """Say that somebody knows of an open alert, and what is being done about it."""
    require(request, _ACKNOWLEDGE)
    note = "" if body is None else body.note
    user = name_of_user(request)
    if not acknowledge(alert_id, user=user, note=note, now=time.time()):
        raise HttpError(404, "There is no such alert, or it is over.")
    return answer(documents.item(stored(Alert).get(pk=alert_id)))
