from __future__ import annotations

import logging
from typing import NoReturn

import pytest
from django.db import IntegrityError

from prs_otel import database_errors, guard

SECRET = "Key (mail)=(alice@example.org) already exists"


def failed() -> Exception:
    """Return a failure of the kind that Django makes of a driver's."""
    try:
        fail()
    except RuntimeError as error:
        return error


def fail() -> NoReturn:
    error = RuntimeError(SECRET)
    error.__cause__ = IntegrityError(SECRET)
    raise error


def test_of_a_database_error_the_kind_is_told() -> None:
    error = IntegrityError(SECRET)
    error.__cause__ = KeyError(SECRET)

    assert database_errors.described(error) == (
        "django.db.utils.IntegrityError caused by KeyError"
    )


def test_of_any_other_error_the_message_is_told() -> None:
    assert database_errors.described(OSError("disk full")) == "disk full"


def test_a_stack_has_places_and_no_words() -> None:
    stack = database_errors.stack_of(failed())

    assert "RuntimeError" in stack
    assert "django.db.utils.IntegrityError" in stack
    assert "in fail" in stack
    assert "alice" not in stack


def test_our_log_does_not_repeat_what_a_database_said(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "reraise", False)

    with caplog.at_level(logging.WARNING), guard.guarded("here"):
        fail()
    guard.tolerated("there", IntegrityError(SECRET))

    told = caplog.text
    assert "prs_otel failed in here" in told
    assert "in fail" in told
    assert "django.db.utils.IntegrityError (there" in told
    assert "alice" not in told
