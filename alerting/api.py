"""The endpoints of `/api/alerting/`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

from django import db
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI, Query
from pydantic import BaseModel, Field

from alerting import documents
from alerting.documents import Selection
from alerting.rules import Severity
from alerting.schemas import History, Summary
from alerting.status import Status

__all__ = ["build_api"]

Authenticate = Callable[[HttpRequest], object]

READ_RULES: Final = "prs_alerting.view_storedrule"
"""The permission to read rules; superusers have it also while no rule can be stored."""


class Hours(BaseModel):
    """How far back the answer looks."""

    hours: Annotated[float, Field(gt=0, le=8760, allow_inf_nan=False)] = 24.0


class HistoryQuery(Hours):
    """Which alerts are asked for."""

    severity: Severity | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class Error(BaseModel):
    """Why there is no answer."""

    detail: str


class InvalidParameter(BaseModel):
    """One parameter that was refused: where it stood (`loc`) and what it should be."""

    type: str
    loc: list[str | int]
    msg: str


class InvalidRequest(BaseModel):
    """Which parameters were refused."""

    detail: list[InvalidParameter]


REFUSALS: Final[dict[int, Any]] = {
    401: Error,
    403: Error,
    422: InvalidRequest,
    503: Error,
}


def build_api(
    *, auth: Sequence[Authenticate], status: Callable[[float], Status], version: str
) -> NinjaAPI:
    """Return the API for those whom `auth` lets in; `status` is asked with the time."""
    api = NinjaAPI(
        title="Alerting",
        description="Alerts, and who was told.",
        version=version,
        urls_namespace="prs_alerting",
        auth=list(auth),
    )
    api.add_exception_handler(db.Error, _database_failed)

    @api.get("history/", response={200: History, **REFUSALS}, tags=["alerts"])
    def history(request: HttpRequest, query: Query[HistoryQuery]) -> HttpResponse:
        """Return the alerts that were open at some time in the last hours."""
        selection = Selection(**query.model_dump())
        return _answer(documents.history(selection, now=time.time()))

    @api.get("summary/", response={200: Summary, **REFUSALS}, tags=["alerts"])
    def summary(request: HttpRequest, query: Query[Hours]) -> HttpResponse:
        """Count the alerts that were open at some time in the last hours."""
        return _answer(documents.summary(hours=query.hours, now=time.time()))

    @api.get("status/", response={200: Status, **REFUSALS}, tags=["status"])
    def evaluator(request: HttpRequest) -> HttpResponse:
        """Tell who evaluates, and how rules and channels are doing.

        The text of a rule is null for who may not read rules.
        """
        found = status(time.time())
        return _answer(found if _may_read_rules(request) else found.without_texts())

    return api


def _may_read_rules(request: HttpRequest) -> bool:
    # Not every user model has permissions.
    has_perm = getattr(getattr(request, "auth", None), "has_perm", None)
    return has_perm is not None and has_perm(READ_RULES)


def _answer(document: BaseModel) -> HttpResponse:
    # As the commands print it, to the microsecond; ninja would round the times.
    body = document.model_dump_json()
    headers = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
    return HttpResponse(body, content_type="application/json", headers=headers)


def _database_failed(
    request: HttpRequest, error: db.Error | type[db.Error]
) -> HttpResponse:
    detail = "The alert history cannot be read; has the database been migrated?"
    return JsonResponse({"detail": detail}, status=503)
