"""`history/` and `summary/`: alerts, and how many there were."""

from __future__ import annotations

import time
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import BaseModel, Field

from alerting import documents
from alerting.documents import Selection
from alerting.endpoints.answers import REFUSALS, answer
from alerting.rules import Severity
from alerting.schemas import History, Summary

__all__ = ["router"]

router = Router(tags=["alerts"])


class Hours(BaseModel):
    """How far back the answer looks."""

    hours: Annotated[float, Field(gt=0, le=8760, allow_inf_nan=False)] = 24.0


class HistoryQuery(Hours):
    """Which alerts are asked for."""

    severity: Severity | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0


@router.get("history/", response={200: History, **REFUSALS})
def history(request: HttpRequest, query: Query[HistoryQuery]) -> HttpResponse:
    """Return the alerts that were open at some time in the last hours."""
    selection = Selection(**query.model_dump())
    return answer(documents.history(selection, now=time.time()))


@router.get("summary/", response={200: Summary, **REFUSALS})
def summary(request: HttpRequest, query: Query[Hours]) -> HttpResponse:
    """Count the alerts that were open at some time in the last hours."""
    return answer(documents.summary(hours=query.hours, now=time.time()))
