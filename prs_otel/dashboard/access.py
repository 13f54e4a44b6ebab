"""Who sees the page, and as what; what they may do there is decided by the API again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, Resolver404, resolve, reverse
from ninja.errors import AuthorizationError

from prs_otel.monitoring.scope import scope_of

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.http import HttpRequest, HttpResponse

APP_LABELS: Final = ("prs_otel.", "prs_alerting.")

Role = Literal["staff", "organization", "nobody"]


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who is signed in; `organization_id` is None for staff."""

    name: str
    role: Role
    organization_id: str | None
    permissions: tuple[str, ...]


def signed_in(request: HttpRequest) -> AbstractBaseUser | None:
    """Return whom the session speaks for, None for anybody else."""
    # A project without AuthenticationMiddleware has no `user`.
    user: AbstractBaseUser | None = getattr(request, "user", None)
    return user if user is not None and user.is_authenticated else None


def reader(user: AbstractBaseUser) -> Reader:
    """Return how the page treats a user."""
    name = user.get_username()
    try:
        scope = scope_of(user)
    except AuthorizationError:
        return Reader(name, "nobody", None, ())
    role: Role = "staff" if scope.organization_id is None else "organization"
    return Reader(name, role, scope.organization_id, _permissions(user))


def to_login(request: HttpRequest) -> HttpResponse:
    """Send an anonymous visitor to the project's login page, and back here afterwards."""
    return redirect_to_login(request.get_full_path(), login_url=_login_url())


def _login_url() -> str:
    """Return LOGIN_URL, or the admin's where Django's default leads nowhere."""
    url = resolve_url(settings.LOGIN_URL)
    try:
        resolve(url.partition("?")[0])
    except Resolver404:
        if str(settings.LOGIN_URL) == "/accounts/login/":
            return _admin_login_url() or url
    return url


def _admin_login_url() -> str | None:
    try:
        return reverse("admin:login")
    except NoReverseMatch:
        return None


def _permissions(user: AbstractBaseUser) -> tuple[str, ...]:
    # A user model without PermissionsMixin has none.
    every: Iterable[str] = getattr(user, "get_all_permissions", tuple)()
    return tuple(sorted(each for each in every if each.startswith(APP_LABELS)))
