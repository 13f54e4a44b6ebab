"""Let each request be that of another user and organisation, as on a busy site."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Final

from django.contrib.auth.models import User

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

USERS: Final = 500
ORGANIZATIONS: Final = 50

_users = cycle([User(pk=number) for number in range(1, USERS + 1)])
_organizations = cycle([str(number) for number in range(1, ORGANIZATIONS + 1)])


def sign_in(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Return a middleware that signs the next user in."""

    def respond(request: HttpRequest) -> HttpResponse:
        request.user = next(_users)
        return get_response(request)

    return respond


def tenant_of(_request: HttpRequest) -> str:
    """Tell the next organisation."""
    return next(_organizations)
