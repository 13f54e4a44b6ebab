"""Who may ask: whoever Django's session or a bearer token speaks for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Final

from django import db
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import timezone
from ninja.errors import AuthorizationError, HttpError
from ninja.security import APIKeyCookie, HttpBearer

from prs_otel.database_errors import described
from prs_otel.monitoring import tokens

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

MAY_READ_SETTINGS: Final = "prs_otel.view_configuration"
MAY_CHANGE_SETTINGS: Final = "prs_otel.change_configuration"

logger = logging.getLogger("prs_otel")

Authenticate = Callable[[HttpRequest], "AbstractBaseUser | None"]
View = Callable[..., HttpResponseBase]


class AuthenticatedRequest(HttpRequest):
    """A request that passed one of `api_auth()`: `auth` is the user it speaks for."""

    auth: AbstractBaseUser


class TokenAuth(HttpBearer):
    """Recognise `Authorization: Bearer prs_…`."""

    def authenticate(self, request: HttpRequest, token: str) -> AbstractBaseUser | None:
        """Return the token's user, None unless the token is usable now."""
        found = tokens.find(token, now=timezone.now())
        return None if found is None else found.user


class SessionAuth(APIKeyCookie):
    """Recognise Django's session; anything but a read then needs the CSRF token too."""

    def __init__(self) -> None:
        from django.conf import settings

        self.param_name = settings.SESSION_COOKIE_NAME
        super().__init__(csrf=True)

    def __call__(self, request: HttpRequest) -> AbstractBaseUser | None:
        """Return the signed-in user; raises 403 when the CSRF check fails.

        Nobody signed in is 401 and not a matter of CSRF, so that is asked first.
        """
        if _session_user(request) is None:
            return None
        user: AbstractBaseUser | None = super().__call__(request)
        return user

    def authenticate(
        self, request: HttpRequest, key: str | None
    ) -> AbstractBaseUser | None:
        """Return the user that Django's middleware found behind the cookie."""
        return _session_user(request)


class StaffTokenAuth(TokenAuth):
    """Recognise a bearer token of somebody on the staff."""

    def authenticate(self, request: HttpRequest, token: str) -> AbstractBaseUser | None:
        """Return the token's user; raises 403 when he is not on the staff."""
        return _on_staff(super().authenticate(request, token))


class StaffSessionAuth(SessionAuth):
    """Recognise the session of somebody on the staff."""

    def authenticate(
        self, request: HttpRequest, key: str | None
    ) -> AbstractBaseUser | None:
        """Return the signed-in user; raises 403 when he is not on the staff."""
        return _on_staff(super().authenticate(request, key))


class PermittedTokenAuth(StaffTokenAuth):
    """Recognise a bearer token of staff that has one of some Django permissions."""

    def __init__(self, *permissions: str) -> None:
        super().__init__()
        self._permissions = permissions

    def authenticate(self, request: HttpRequest, token: str) -> AbstractBaseUser | None:
        """Return the token's user; raises 403 when he has none of the permissions."""
        return _permitted(super().authenticate(request, token), self._permissions)


class PermittedSessionAuth(StaffSessionAuth):
    """Recognise the session of staff that has one of some Django permissions."""

    def __init__(self, *permissions: str) -> None:
        super().__init__()
        self._permissions = permissions

    def authenticate(
        self, request: HttpRequest, key: str | None
    ) -> AbstractBaseUser | None:
        """Return the signed-in user; raises 403 when he has none of the permissions."""
        return _permitted(super().authenticate(request, key), self._permissions)


def api_auth() -> list[Authenticate]:
    """Return what authenticates an API request, in order: the token it shows, its session."""
    return [TokenAuth(), SessionAuth()]


def staff_auth() -> list[Authenticate]:
    """Return the same for an API that is for staff: anybody else it recognises gets 403."""
    return [StaffTokenAuth(), StaffSessionAuth()]


def permission_auth(*permissions: str) -> list[Authenticate]:
    """Return the same for staff with one of `permissions`, as superusers have every one."""
    return [PermittedTokenAuth(*permissions), PermittedSessionAuth(*permissions)]


def is_staff(user: object) -> bool:
    """Tell whether `user` (None: nobody) belongs to the staff."""
    return bool(getattr(user, "is_staff", False))


def user_if_known(request: HttpRequest) -> AbstractBaseUser | None:
    """Return the user a public endpoint is asked by, None for anybody else.

    Who cannot be recognised while the database is down is nobody, and still answered.
    """
    try:
        return _first_user(request, api_auth())
    except db.Error as error:
        logger.warning("A user could not be recognised: %s", described(error))
        return None


def staff_only(view: View) -> View:
    """Let only staff reach a plain Django view; others get 401 or 403 as from the API."""
    authenticators = staff_auth()

    @wraps(view)
    def guarded_view(
        request: HttpRequest, *args: object, **kwargs: object
    ) -> HttpResponseBase:
        try:
            user = _first_user(request, authenticators)
        except HttpError as error:
            return JsonResponse({"detail": str(error)}, status=error.status_code)
        if user is None:
            return JsonResponse({"detail": "Unauthorized"}, status=401)
        return view(request, *args, **kwargs)

    return guarded_view


def _first_user(
    request: HttpRequest, authenticators: Sequence[Authenticate]
) -> AbstractBaseUser | None:
    for authenticate in authenticators:
        user = authenticate(request)
        if user is not None:
            return user
    return None


def _on_staff(user: AbstractBaseUser | None) -> AbstractBaseUser | None:
    if user is not None and not is_staff(user):
        raise AuthorizationError(message="This is for staff only.")
    return user


def _permitted(
    user: AbstractBaseUser | None, permissions: Sequence[str]
) -> AbstractBaseUser | None:
    # A user model without PermissionsMixin has no `has_perm`: then nobody may.
    has_permission = getattr(user, "has_perm", lambda _: False)
    if user is not None and not any(map(has_permission, permissions)):
        needed = " or ".join(permissions)
        raise AuthorizationError(message=f"This needs the permission {needed}.")
    return user


def _session_user(request: HttpRequest) -> AbstractBaseUser | None:
    # A project without AuthenticationMiddleware has no `user`: only tokens work there.
    user: AbstractBaseUser | None = getattr(request, "user", None)
    return user if user is not None and user.is_authenticated else None
