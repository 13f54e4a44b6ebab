from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.support.measured import Measured
from tests.support.served import serve

NOW = 1_700_000_000.0


@pytest.fixture
def measured() -> Measured:
    return Measured(now=NOW)


@pytest.fixture
def served(measured: Measured, monkeypatch: pytest.MonkeyPatch) -> Measured:
    """Let the API answer from `measured`."""
    serve(measured, monkeypatch)
    return measured


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_user("staff", is_staff=True)


@pytest.fixture
def alice(db: None) -> User:
    """Make a user who is not on the staff."""
    return User.objects.create_user("alice")


@pytest.fixture
def staff_client(staff: User) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def alice_client(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client
