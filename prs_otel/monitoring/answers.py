"""HTTP answers of the API: documents that may be unchanged, and errors of one shape."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Final, TypeGuard

from django import db
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.cache import (
    get_conditional_response,
    patch_cache_control,
    patch_vary_headers,
    set_response_etag,
)

from prs_otel import __version__
from prs_otel.database_errors import described
from prs_otel.monitoring.permissions import is_staff
from prs_otel.store.base import StoreError

if TYPE_CHECKING:
    from ninja import NinjaAPI
    from pydantic import BaseModel

logger = logging.getLogger("prs_otel")

View = Callable[..., HttpResponseBase]

STORE_FAILED: Final = "The monitoring store cannot be read."
DATABASE_FAILED: Final = "The database cannot be read; has it been migrated?"


def answer(
    request: HttpRequest, document: BaseModel, *, status: int = 200
) -> HttpResponse:
    """Return `document` as JSON, or 304 when the client has exactly this already."""
    body = document.model_dump_json().encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    response = HttpResponse(body, status=status, content_type="application/json")
    _private(response, etag)
    found = get_conditional_response(request, etag=etag, response=response)
    return response if found is None else found


def steady_answer(
    request: HttpRequest, state: str, build: Callable[[], BaseModel]
) -> HttpResponse:
    """Return what `build` makes, or 304, without making it, when the client has it already.

    `state` names all that the document depends on. The tag is weak: two workers may differ
    in how they last heard of one another.
    """
    digest = hashlib.sha256(f"{__version__}:{request.path}:{state}".encode())
    etag = f'W/"{digest.hexdigest()[:32]}"'
    found = get_conditional_response(request, etag=etag)
    if found is None:
        body = build().model_dump_json()
        found = HttpResponse(body, content_type="application/json")
    return _private(found, etag)


def done(document: BaseModel, *, status: int = 200) -> HttpResponse:
    """Return as JSON what was done: on no condition, and for nobody's cache."""
    body = document.model_dump_json()
    response = HttpResponse(body, status=status, content_type="application/json")
    patch_cache_control(response, private=True, no_store=True)
    return response


def install_error_handlers(api: NinjaAPI) -> None:
    """Answer 503 when what an endpoint reads from is out of order."""
    api.add_exception_handler(StoreError, _store_failed)
    api.add_exception_handler(db.Error, _database_failed)


def _private(response: HttpResponse, etag: str) -> HttpResponse:
    response["ETag"] = etag
    # What one user may see must not be served to another from somebody's cache.
    patch_cache_control(response, private=True, no_cache=True)
    patch_vary_headers(response, ("Authorization", "Cookie"))
    return response


def with_json_errors(view: View) -> View:
    """Give what ninja leaves to Django the shape of every other error."""

    @wraps(view)
    def answered(
        request: HttpRequest, *args: object, **kwargs: object
    ) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except db.Error as error:
            return _database_failed(request, error)
        if response.status_code != 405:
            return response
        allowed = {"Allow": response.headers["Allow"]}
        return JsonResponse(
            {"detail": "Method Not Allowed"}, status=405, headers=allowed
        )

    return answered


def with_etag(view: View) -> View:
    """Answer 304 to who has exactly this already, whatever API it comes from."""

    @wraps(view)
    def answered(
        request: HttpRequest, *args: object, **kwargs: object
    ) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if request.method != "GET" or not _is_plain(response):
            return response
        set_response_etag(response)
        etag = response.headers["ETag"]
        found = get_conditional_response(request, etag=etag, response=response)
        return response if found is None else found

    return answered


def _is_plain(response: HttpResponseBase) -> TypeGuard[HttpResponse]:
    return (
        isinstance(response, HttpResponse)
        and response.status_code == 200
        and "ETag" not in response.headers
        and "no-store" not in response.headers.get("Cache-Control", "")
    )


def not_found(request: HttpRequest) -> HttpResponse:
    """Answer for a path below the API that is none of its own."""
    return JsonResponse({"detail": "Not Found"}, status=404)


def _store_failed(
    request: HttpRequest, error: StoreError | type[StoreError]
) -> HttpResponse:
    logger.warning("An API request found the store out of order: %s", error)
    # The reason may name files of the server, which only its staff should know.
    is_shown = is_staff(getattr(request, "auth", None))
    detail = f"{STORE_FAILED} {error}" if is_shown else STORE_FAILED
    return JsonResponse({"detail": detail}, status=503)


def _database_failed(
    request: HttpRequest, error: db.Error | type[db.Error]
) -> HttpResponse:
    found = described(error) if isinstance(error, db.Error) else error.__name__
    logger.warning("An API request found the database out of order: %s", found)
    return JsonResponse({"detail": DATABASE_FAILED}, status=503)
