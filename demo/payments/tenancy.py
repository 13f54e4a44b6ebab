"""Whose request is this? The two questions the monitoring asks this site."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
    from django.http import HttpRequest

SESSION_KEY = "organization_id"


def remember_organization(request: HttpRequest, user: object, **_: object) -> None:
    """Keep the organisation of whoever signs in within the signed session cookie."""
    request.session[SESSION_KEY] = getattr(user, "organization_id", None)


def organization_of_request(request: HttpRequest) -> int | None:
    """Name the tenant of a request without a query (``TENANT_RESOLVER``)."""
    session = getattr(request, "session", None)
    return None if session is None else session.get(SESSION_KEY)


def organization_of_user(user: AbstractBaseUser | AnonymousUser) -> int | None:
    """Name the organisation whose figures a user may read (``USER_ORGANIZATION``)."""
    return getattr(user, "organization_id", None)
