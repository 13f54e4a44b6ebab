"""Answers of one shape: documents, refusals, and who is allowed what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from django import db
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja.errors import HttpError, ValidationError
from pydantic import BaseModel, Field

from alerting.schemas import Error, InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ninja import NinjaAPI

__all__ = [
    "REFUSALS",
    "WITH_BODY",
    "Page",
    "answer",
    "install_error_handlers",
    "may",
    "name_of_user",
    "refusal",
    "require",
]

REFUSALS: Final[dict[int, Any]] = {
    401: Error,
    403: Error,
    422: InvalidRequest,
    503: Error,
}
WITH_BODY: Final[dict[int, Any]] = {400: Error, **REFUSALS}
"""The same where a body is read, which may be no JSON."""


class Page(BaseModel):
    """Which of many are asked for."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0


def answer(document: BaseModel, *, status: int = 200) -> HttpResponse:
    """Return `document` as the commands print it, times to the microsecond."""
    body = document.model_dump_json()
    headers = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
    return HttpResponse(
        body, status=status, content_type="application/json", headers=headers
    )


def may(request: HttpRequest, permission: str) -> bool:
    """Tell whether who asks has a permission; superusers have every one."""
    # Not every user model has permissions.
    has_perm = getattr(getattr(request, "auth", None), "has_perm", None)
    return has_perm is not None and bool(has_perm(permission))


def require(request: HttpRequest, permission: str) -> None:
    """Refuse who has not that permission; raises `HttpError` 403."""
    if not may(request, permission):
        raise HttpError(403, f"This needs the permission {permission}.")


def name_of_user(request: HttpRequest) -> str:
    """Return who asks, as the audit writes it down."""
    user = getattr(request, "auth", None)
    get_username = getattr(user, "get_username", None)
    return str(get_username() if get_username else user)[:150]


def refusal(
    problems: Iterable[str], *where: str, part: Literal["body", "query"] = "body"
) -> ValidationError:
    """Return the 422 that says what is wrong with a request, one entry for each mistake."""
    return ValidationError(
        [
            {"type": "value_error", "loc": [part, *where], "msg": problem}
            for problem in problems
        ]
    )


def install_error_handlers(api: NinjaAPI) -> None:
    """Answer 503 when the database is out of order."""
    api.add_exception_handler(db.Error, _database_failed)


def _database_failed(
    request: HttpRequest, error: db.Error | type[db.Error]
) -> HttpResponse:
    detail = "The alert history cannot be read; has the database been migrated?"
    return JsonResponse({"detail": detail}, status=503)
