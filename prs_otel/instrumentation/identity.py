"""Whose request it is: ids only, and never at the price of a query."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from django.utils.functional import LazyObject, empty

from prs_otel import guard
from prs_otel.instrumentation.measuring import REFUSED, QueryRefusedError, mode

if TYPE_CHECKING:
    from django.http import HttpRequest

TenantResolver = Callable[[Any], str | int | None]

_LENGTH_LIMIT: Final = 200  # characters of an id


def user_id(request: HttpRequest) -> str | None:
    """Return the primary key of the request's user, if the application has loaded it.

    A `request.user` that nobody evaluated stays unevaluated: to ask it would be a query.
    """
    attributes = vars(request)
    user = attributes.get("user")
    if isinstance(user, LazyObject):
        user = vars(user).get("_wrapped", empty)
    if user is None or user is empty:
        user = attributes.get("_acached_user")  # where `await request.auser()` keeps it
    key = getattr(user, "pk", None)
    return None if key is None else str(key)[:_LENGTH_LIMIT]


def tenant_id(
    request: HttpRequest, resolver: TenantResolver, failed: Callable[[], object]
) -> str | None:
    """Return what `resolver` says; tell `failed` when it raises or wants a query."""
    # Every request comes by here: a context manager would cost more than the rest.
    token = mode.set(REFUSED)
    try:
        found = resolver(request)
        # A lazy id is evaluated here, where its query is refused.
        return None if found is None else str(found)[:_LENGTH_LIMIT]
    except QueryRefusedError:
        failed()
    except Exception:  # noqa: BLE001 - the guard logs and counts it
        failed()
        guard.failed("requests.tenant")
    finally:
        mode.reset(token)
    return None
