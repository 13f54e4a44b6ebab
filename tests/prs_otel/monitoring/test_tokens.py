from __future__ import annotations

from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.db.models import QuerySet

from prs_otel.models import Token
from prs_otel.monitoring import tokens

NOW = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice")


def test_a_token_is_found_by_its_text(alice: User) -> None:
    token, text = tokens.create(alice, "dashboard", now=NOW)

    found = tokens.find(text, now=NOW)

    assert found == token
    assert found.user == alice


def test_the_secret_is_not_kept(alice: User) -> None:
    _, text = tokens.create(alice, "dashboard", now=NOW)
    secret = text.rpartition("_")[2]

    row = Token.objects.values().get()

    assert len(secret) == 64
    assert not [value for value in row.values() if secret in str(value)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "prs_",
        "prs__",
        "prs_unknown_secret",
        "pr\x00s_a_b",
        "prs_\x00_b",
        "prs_ä_b",
        "Bearer",
    ],
)
def test_what_is_no_token_finds_none(text: str) -> None:
    assert tokens.find(text, now=NOW) is None


def test_another_secret_finds_none(alice: User) -> None:
    token, _ = tokens.create(alice, "dashboard", now=NOW)

    assert tokens.find(f"prs_{token.key}_{'0' * 64}", now=NOW) is None


def test_a_revoked_token_finds_none(alice: User) -> None:
    token, text = tokens.create(alice, "dashboard", now=NOW)
    tokens.revoke(token, now=NOW)

    assert tokens.find(text, now=NOW) is None


def test_a_token_revoked_twice_keeps_its_first_time(alice: User) -> None:
    token, _ = tokens.create(alice, "dashboard", now=NOW)
    tokens.revoke(token, now=NOW)
    tokens.revoke(token, now=NOW + timedelta(days=1))

    token.refresh_from_db()

    assert token.revoked_at == NOW


def test_a_token_ends_at_the_moment_it_expires(alice: User) -> None:
    expires_at = NOW + timedelta(hours=1)
    _, text = tokens.create(alice, "dashboard", now=NOW, expires_at=expires_at)

    assert tokens.find(text, now=expires_at - timedelta(seconds=1)) is not None
    assert tokens.find(text, now=expires_at) is None


def test_the_token_of_an_inactive_user_finds_none(alice: User) -> None:
    _, text = tokens.create(alice, "dashboard", now=NOW)
    User.objects.filter(pk=alice.pk).update(is_active=False)

    assert tokens.find(text, now=NOW) is None


def test_use_is_noted_once_an_hour(alice: User) -> None:
    token, text = tokens.create(alice, "dashboard", now=NOW)
    noted = []
    for minutes in (0, 59, 60):
        tokens.find(text, now=NOW + timedelta(minutes=minutes))
        token.refresh_from_db()
        noted.append(token.last_used_at)

    assert noted == [NOW, NOW, NOW + timedelta(hours=1)]


def test_a_token_works_while_the_database_takes_no_writes(
    alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    token, text = tokens.create(alice, "dashboard", now=NOW)

    with mock.patch.object(QuerySet, "update", side_effect=DatabaseError("read-only")):
        found = tokens.find(text, now=NOW)

    assert found == token
    assert token.key in caplog.text


def test_a_token_is_shown_by_its_name_and_key(alice: User) -> None:
    token, _ = tokens.create(alice, "dashboard", now=NOW)

    assert str(token) == f"dashboard ({token.key})"
