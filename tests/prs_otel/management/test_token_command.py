from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.test import override_settings
from django.utils import timezone

from prs_otel.models import Token
from prs_otel.monitoring import tokens
from tests.support.commands import manage_monitoring

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("measured")]


@pytest.fixture(autouse=True)
def alice() -> User:
    return User.objects.create_user("alice")


def created(*arguments: str) -> dict[str, str]:
    outcome = manage_monitoring(
        "token",
        "create",
        "--user=alice",
        "--name=dashboard",
        *arguments,
        "--format=json",
    )
    document: dict[str, str] = outcome.json()
    return document


def test_a_created_token_works(alice: User) -> None:
    found = tokens.find(created()["token"], now=timezone.now())

    assert found is not None
    assert (found.user, found.name, found.expires_at) == (alice, "dashboard", None)


def test_a_token_may_be_given_a_life() -> None:
    text = created("--expires-in-days", "30")["token"]

    assert tokens.find(text, now=timezone.now() + timedelta(days=29)) is not None
    assert tokens.find(text, now=timezone.now() + timedelta(days=31)) is None


def test_the_secret_is_shown_once() -> None:
    text = created()["token"]

    listed = manage_monitoring("token", "list", "--format", "json")

    assert text not in listed.text
    assert text.rpartition("_")[2] not in listed.text


def test_a_person_is_told_how_to_use_a_new_token() -> None:
    text = manage_monitoring("token", "create", "--user=alice").text

    assert "Authorization: Bearer <token>" in text
    assert tokens.find(text.split()[-1], now=timezone.now()) is not None


def test_tokens_are_listed_with_what_became_of_them() -> None:
    first = created()
    second = created("--expires-in-days", "1")
    manage_monitoring("token", "revoke", first["key"])
    tokens.find(second["token"], now=timezone.now())

    document = manage_monitoring("token", "list", "--format", "json").json()
    text = manage_monitoring("token", "list").text

    assert document["count"] == 2
    by_key = {item["key"]: item for item in document["items"]}
    assert by_key[first["key"]]["revoked_at"].endswith("Z")
    assert by_key[first["key"]]["last_used_at"] is None
    assert by_key[second["key"]]["last_used_at"].endswith("Z")
    assert {item["user"] for item in document["items"]} == {"alice"}
    assert text.count("revoked") == 1


def test_no_tokens_is_said() -> None:
    assert manage_monitoring("token", "list").text == "No tokens.\n"


def test_a_revoked_token_works_no_more() -> None:
    document = created()

    outcome = manage_monitoring("token", "revoke", document["key"])

    assert document["key"] in outcome.text
    assert tokens.find(document["token"], now=timezone.now()) is None


@override_settings(USE_TZ=False)
def test_times_are_in_utc_also_without_time_zone_support() -> None:
    assert created()["created_at"].endswith("Z")


def test_an_unknown_user_is_refused() -> None:
    with pytest.raises(CommandError, match="There is no user 'bob'") as caught:
        manage_monitoring("token", "create", "--user=bob")

    assert caught.value.returncode == 2


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(CommandError, match="No token has the key 'nope'") as caught:
        manage_monitoring("token", "revoke", "nope")

    assert caught.value.returncode == 2


@pytest.mark.parametrize("days", ["0", "-1", "1.5", "x"])
def test_a_life_that_is_no_number_of_days_is_refused(days: str) -> None:
    with pytest.raises(CommandError, match="not a whole number of days"):
        created(f"--expires-in-days={days}")

    assert not Token.objects.exists()
