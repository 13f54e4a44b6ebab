"""The endpoints of `/api/alerting/`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Annotated, Any, Final

from django.db import DatabaseError
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    JsonResponse,
)
from django.urls import URLPattern, URLResolver, path, re_path
from ninja import NinjaAPI, Query
from pydantic import BaseModel, Field

from alerting import documents
from alerting.documents import Selection
from alerting.rules import Severity  # noqa: TC001 - ninja evaluates it
from alerting.schemas import History, Summary
from alerting.status import Status

__all__ = ["build_api", "mounted"]

Authenticate = Callable[[HttpRequest], object]
View = Callable[..., HttpResponseBase]


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
    *, auth: Sequence[Authenticate], status: Callable[[float], Status]
) -> NinjaAPI:
    """Return the API for those whom `auth` lets in; `status` is asked with the time."""
    api = NinjaAPI(
        title="Alerting",
        description="Alerts, and who was told.",
        urls_namespace="prs_alerting",
        auth=list(auth),
        docs_url=None,
        openapi_url=None,
    )
    api.add_exception_handler(DatabaseError, _database_failed)

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
        """Tell who evaluates, and how rules and channels are doing."""
        return _answer(status(time.time()))

    return api


def mounted(api: NinjaAPI) -> list[URLPattern | URLResolver]:
    """Return the URL patterns of `api`, with every error in the shape of the others."""
    patterns, app_name, namespace = api.urls
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            pattern.callback = _with_json_errors(pattern.callback)
    return [
        path("", (patterns, app_name, namespace)),
        # With its slash only: a path that merely lacks one is left to APPEND_SLASH.
        re_path(r"^.*/$", _not_found),
    ]


def _with_json_errors(view: View) -> View:
    @wraps(view)
    def answered(
        request: HttpRequest, *args: object, **kwargs: object
    ) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if not isinstance(response, HttpResponseNotAllowed):
            return response
        allowed = {"Allow": response.headers["Allow"]}
        detail = {"detail": "Method Not Allowed"}
        return JsonResponse(detail, status=405, headers=allowed)

    return answered


def _not_found(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"detail": "Not Found"}, status=404)


def _answer(document: BaseModel) -> HttpResponse:
    # As the commands print it, to the microsecond; ninja would round the times.
    body = document.model_dump_json()
    headers = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
    return HttpResponse(body, content_type="application/json", headers=headers)


def _database_failed(
    request: HttpRequest, error: DatabaseError | type[DatabaseError]
) -> HttpResponse:
    detail = "The alert history cannot be read; has the database been migrated?"
    return JsonResponse({"detail": detail}, status=503)
