from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from prs_otel.dashboard import assets

SCRIPT = b"console.log('dashboard')"


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the page use a bundle that says nothing of how the front end is built."""
    (tmp_path / assets.SCRIPT).write_bytes(SCRIPT)
    (tmp_path / assets.STYLE).write_bytes(b"body { margin: 0 }")
    monkeypatch.setattr(assets, "DIRECTORY", tmp_path)
    return tmp_path


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_user("staff", is_staff=True)


@pytest.fixture
def staff_client(staff: User) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def alice_client(db: None) -> Client:
    """Make a user who is not on the staff."""
    client = Client()
    client.force_login(User.objects.create_user("alice"))
    return client
