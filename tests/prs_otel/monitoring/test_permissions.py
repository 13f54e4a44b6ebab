from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.middleware.csrf import _get_new_csrf_string
from django.test import RequestFactory
from ninja.errors import HttpError

from prs_otel.monitoring.permissions import SessionAuth, StaffSessionAuth

CSRF = _get_new_csrf_string()


def post(user: User | AnonymousUser | None, **headers: str) -> HttpRequest:
    request = RequestFactory(enforce_csrf_checks=True).post("/", headers=headers)
    if user is not None:
        request.user = user
    request.COOKIES["csrftoken"] = CSRF
    return request


@pytest.fixture
def alice() -> User:
    return User(username="alice")


def test_a_session_may_write_with_its_csrf_token(alice: User) -> None:
    assert SessionAuth()(post(alice, **{"X-CSRFToken": CSRF})) is alice


@pytest.mark.parametrize("token", [{}, {"X-CSRFToken": _get_new_csrf_string()}])
def test_a_session_may_not_write_without_its_csrf_token(
    alice: User, token: dict[str, str]
) -> None:
    with pytest.raises(HttpError) as caught:
        SessionAuth()(post(alice, **token))

    assert caught.value.status_code == 403


def test_a_session_may_read_without_a_csrf_token(alice: User) -> None:
    request = RequestFactory(enforce_csrf_checks=True).get("/")
    request.user = alice

    assert SessionAuth()(request) is alice


@pytest.mark.parametrize("user", [AnonymousUser(), None])
def test_nobody_signed_in_is_nobody_rather_than_forbidden(
    user: AnonymousUser | None,
) -> None:
    assert SessionAuth()(post(user)) is None


def test_who_is_not_on_the_staff_is_forbidden_what_staff_may(alice: User) -> None:
    request = RequestFactory().get("/")
    request.user = alice

    with pytest.raises(HttpError) as caught:
        StaffSessionAuth()(request)

    assert caught.value.status_code == 403


def test_staff_may_what_staff_may() -> None:
    request = RequestFactory().get("/")
    request.user = User(username="carol", is_staff=True)

    assert StaffSessionAuth()(request) is request.user
