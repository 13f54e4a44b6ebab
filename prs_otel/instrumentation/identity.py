"""Whose request it is: ids only, and never at the price of a query."""

from __future__ import annotations

from collections.abc import Callable
from inspect import iscoroutine
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import SynchronousOnlyOperation
from django.utils.functional import LazyObject, Promise, empty

from prs_otel import guard, texts
from prs_otel.instrumentation.measuring import REFUSED, QueryRefusedError, mode

if TYPE_CHECKING:
    from django.http import HttpRequest

TenantResolver = Callable[[Any], str | int | None]

_LAZY: Final = (LazyObject, Promise)


class NoIdError(Exception):
    """A function of the project's has told something that is no id."""


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
    try:
        key = getattr(user, "pk", None)
        return None if key is None else texts.identifier(str(key))
    except Exception:  # noqa: BLE001 - a user of the application's own make
        guard.failed("requests.user")
        return None


def tenant_id(
    request: HttpRequest, resolver: TenantResolver, failed: Callable[[], object]
) -> str | None:
    """Return what `resolver` says; tell `failed` when that is no id.

    Nor may it raise or want a query. An empty text is no organisation.
    """
    # Every request comes by here: a context manager would cost more than the rest. A lazy
    # id is evaluated within, where its query is refused.
    token = mode.set(REFUSED)
    try:
        return as_id(resolver(request), told_by="TENANT_RESOLVER")
    except (QueryRefusedError, SynchronousOnlyOperation):
        failed()
    except NoIdError as error:
        failed()
        guard.tolerated("requests.tenant", error)
    except Exception:  # noqa: BLE001 - the guard logs and counts it
        failed()
        guard.failed("requests.tenant")
    finally:
        mode.reset(token)
    return None


def as_id(value: object, *, told_by: str) -> str | None:
    """Return what the project's function has told as an id; raises `NoIdError`.

    `None` and an empty text are none. A lazy id is evaluated.
    """
    if value is None:
        return None
    if type(value) is not str and isinstance(value, _LAZY):
        value = str(value) if isinstance(value, Promise) else _evaluated(value)
    if value == "":
        return None
    try:
        return texts.identifier(value)
    except TypeError as error:
        if iscoroutine(value):
            value.close()  # else Python warns that nobody awaits it
        raise NoIdError(f"{told_by}: {error} or None") from None


def _evaluated(lazy: Any) -> object:  # noqa: ANN401 - Django leaves the class untyped
    if lazy._wrapped is empty:  # noqa: SLF001 - as text, a lazy `None` is "None"
        lazy._setup()  # noqa: SLF001
    return lazy._wrapped  # noqa: SLF001
