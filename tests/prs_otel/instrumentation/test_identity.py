from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection
from django.http import HttpRequest
from django.utils.asyncio import async_unsafe
from django.utils.functional import SimpleLazyObject, lazystr

from prs_otel import guard, texts
from prs_otel.instrumentation import database, identity
from prs_otel.observation import Thresholds
from prs_otel.rollup import series


@pytest.fixture
def request_() -> Any:
    return HttpRequest()


def tenant(request: HttpRequest, resolver: Any) -> tuple[str | None, int]:
    """Return the tenant's id, and how often its resolver failed."""
    failures: list[int] = []
    found = identity.tenant_id(request, resolver, lambda: failures.append(1))
    return found, len(failures)


def test_a_user_that_is_there_is_told(request_: Any) -> None:
    request_.user = User(pk=7)
    assert identity.user_id(request_) == "7"


def test_a_lazy_user_is_told_once_somebody_has_evaluated_him(request_: Any) -> None:
    request_.user = SimpleLazyObject(lambda: User(pk=7))
    assert identity.user_id(request_) is None

    assert request_.user.is_active
    assert identity.user_id(request_) == "7"


def test_a_user_awaited_is_told(request_: Any) -> None:
    request_.user = SimpleLazyObject(lambda: User(pk=8))
    request_._acached_user = User(pk=7)

    assert identity.user_id(request_) == "7"


def test_nobody_is_no_user(request_: Any) -> None:
    assert identity.user_id(request_) is None
    request_.user = AnonymousUser()
    assert identity.user_id(request_) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("acme", "acme"),
        (7, "7"),
        (0, "0"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (None, None),
        ("", None),
        (SimpleLazyObject(lambda: 7), "7"),
        (SimpleLazyObject(lambda: None), None),
        (lazystr("acme"), "acme"),
    ],
)
def test_a_tenant_is_what_the_resolver_says(
    request_: Any, value: Any, expected: str | None
) -> None:
    assert tenant(request_, lambda request: value) == (expected, 0)


def test_a_resolver_that_raises_is_counted(
    request_: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "reraise", False)

    def resolver(request: HttpRequest) -> str:
        raise KeyError("tenant")

    assert tenant(request_, resolver) == (None, 1)
    assert guard.report() == {"requests.tenant": 1}


@pytest.mark.parametrize("name", ["x" * 999, "a\ud800b\0c", series.OTHER])
def test_ids_that_cannot_be_kept_as_they_are_stay_apart(
    request_: Any, name: str
) -> None:
    found, _ = tenant(request_, lambda request: name)
    other, _ = tenant(request_, lambda request: name + "\0")

    assert found
    assert other
    assert found != other
    assert found not in (name, name[:200], series.OTHER)
    assert len(found) <= 200
    assert found.isprintable()
    assert found.encode()
    assert identity.as_id(name, told_by="USER_ORGANIZATION") == found


async def acme(request: HttpRequest) -> str:
    return "acme"


@pytest.mark.parametrize(
    "resolver",
    [
        lambda request: User(pk=7, username="ada"),
        lambda request: object(),
        lambda request: b"acme",
        lambda request: 7.0,
        lambda request: True,
        lambda request: 10**5_000,
        lambda request: {"id": 7},
        acme,
    ],
)
def test_what_is_no_id_is_no_tenant_and_counted(
    request_: Any, resolver: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert tenant(request_, resolver) == (None, 1)

    assert "is no id: give an int, str or UUID or None" in caplog.text
    assert "ada" not in caplog.text
    guard.reset()


def test_a_resolver_that_may_not_query_on_an_event_loop_is_counted_like_one_that_may_not_here(
    request_: Any,
) -> None:
    @async_unsafe
    def resolver(request: HttpRequest) -> str:
        return "acme"

    async def ask() -> tuple[str | None, int]:
        return tenant(request_, resolver)

    assert asyncio.run(ask()) == (None, 1)
    assert guard.report() == {}


def test_a_user_of_the_applications_own_make_may_have_no_key(
    request_: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        @property
        def pk(self) -> int:
            raise LookupError

    monkeypatch.setattr(guard, "reraise", False)
    request_.user = Broken()

    assert identity.user_id(request_) is None
    assert guard.report() == {"requests.user": 1}
    guard.reset()


@pytest.mark.django_db
def test_a_resolver_that_queries_is_refused_and_counted(request_: Any) -> None:
    database.install(thresholds=Thresholds)
    connection.ensure_connection()
    request_.user = SimpleLazyObject(User.objects.get)
    try:
        found = tenant(request_, lambda request: request.user.pk)
    finally:
        database.uninstall()

    assert found == (None, 1)
    assert identity.user_id(request_) is None


def test_the_remainder_is_what_no_id_is_called() -> None:
    assert texts.REMAINDER == series.OTHER
