from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from django.db import IntegrityError
from django.db.utils import DataError, InterfaceError
from hypothesis import given
from hypothesis import strategies as st

from prs_otel.database_errors import quotes_values
from prs_otel.instrumentation import redaction
from tests.support.traces import tracing


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ""),
        ("card=4111222233334444", "card=REDACTED"),
        ("a=1&b=2&a=3", "a=REDACTED&b=REDACTED&a=REDACTED"),
        ("a=b=c", "a=REDACTED"),
        ("4111222233334444", "REDACTED"),
        ("=4111222233334444", "=REDACTED"),
        ("4111222233334444=", "REDACTED=REDACTED"),
        (
            "alice%40example.org=1&items[0].id=7",
            "REDACTED=REDACTED&items[0].id=REDACTED",
        ),
        ("a=1&&", "a=REDACTED&&"),
    ],
)
def test_values_of_a_query_string_are_redacted(query: str, expected: str) -> None:
    assert redaction.query_string(query) == expected


def test_of_a_long_query_string_the_beginning_is_kept() -> None:
    assert len(redaction.query_string("a=1&" * 10_000)) < 5_000


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/items/12345678/",
        "/api/v1.2/items:batch/Straße/~alice/",
        "/files/3f2504e0-4f89-41d3-9a0c-0305e82c3301/",
        "/blog/how-the-whole-of-a-title-can-become-an-address/",
    ],
)
def test_a_path_of_names_and_ids_stays(path: str) -> None:
    assert redaction.path(path) == path


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/users/alice@example.org/cart/", "/users/REDACTED/cart/"),
        ("/cards/4111111111111111", "/cards/REDACTED"),
        ("/search/two words/", "/search/REDACTED/"),
        ("/reset/MQ/c5k2u1-0123456789abcdef0123456789abcdef/", "/reset/MQ/REDACTED/"),
    ],
)
def test_what_looks_like_data_in_a_path_is_redacted(path: str, expected: str) -> None:
    assert redaction.path(path) == expected


def test_of_a_long_path_the_beginning_is_kept() -> None:
    assert len(redaction.path("/@" * 10_000)) < 10_000


def test_of_a_url_path_and_query_are_touched() -> None:
    assert redaction.url("/a/b=c") == "/a/b=c"
    assert redaction.url("http://x/a?b=c") == "http://x/a?b=REDACTED"
    assert redaction.url("/a?") == "/a?"
    assert redaction.url("http://x:80/@a/b?c=d") == "http://x:80/REDACTED/b?c=REDACTED"


@given(st.text(alphabet=st.characters(exclude_characters="&="), min_size=12))
def test_no_value_survives(value: str) -> None:
    secret = f"\N{LOCK}{value}"
    redacted = redaction.url(f"/path?name={secret}&{secret}&x={secret}={secret}")

    assert "\N{LOCK}" not in redacted


def test_both_conventions_are_redacted() -> None:
    attributes = {
        "url.query": "a=1",
        "url.full": "http://x/?a=1",
        "http.target": "/?a=1",
        "http.url": "http://x/?a=1",
        "url.path": "/a@b/1",
        "server.port": 80,
    }

    assert redaction.redacted_urls(attributes) == {
        "url.query": "a=REDACTED",
        "url.full": "http://x/?a=REDACTED",
        "http.target": "/?a=REDACTED",
        "http.url": "http://x/?a=REDACTED",
        "url.path": "/REDACTED/1",
    }


def caused_by(cause: BaseException | None, *, handling: bool = False) -> Exception:
    error = ValueError("about to pay")
    if handling:
        error.__context__ = cause
    else:
        error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (DataError("4111222233334444"), True),
        (InterfaceError("4111222233334444"), True),
        (sqlite3.IntegrityError("4111222233334444"), True),
        (caused_by(IntegrityError("4111222233334444")), True),
        (caused_by(caused_by(IntegrityError("4111222233334444")), handling=True), True),
        (caused_by(KeyError("x")), False),
        (ValueError("4111222233334444"), False),
    ],
    ids=repr,
)
def test_what_comes_of_a_database_quotes_values(
    error: Exception, expected: bool
) -> None:
    assert quotes_values(error) is expected


def test_a_chain_that_never_ends_is_followed_for_a_while() -> None:
    error = ValueError()
    error.__context__ = caused_by(error)

    assert not quotes_values(error)


def insert() -> None:
    raise IntegrityError("Key (card)=(4111222233334444) already exists")


def charge() -> None:
    try:
        insert()
    except IntegrityError as cause:
        raise ValueError("cannot charge 4111222233334444") from cause


def test_an_exception_is_recorded_by_type_and_place_only() -> None:
    traces = tracing()
    with traces.provider.get_tracer("test").start_as_current_span("span") as span:
        try:
            charge()
        except ValueError as error:
            redaction.record_without_message(span, error)

    (exported,) = traces.exported
    (event,) = exported.events
    attributes: Any = event.attributes
    assert event.name == "exception"
    assert attributes["exception.type"] == "ValueError"
    stack = attributes["exception.stacktrace"]
    assert "django.db.utils.IntegrityError" in stack
    assert f'File "{__file__}"' in stack
    assert "in insert" in stack
    assert exported.status.description == "ValueError"
    assert "4111222233334444" not in exported.to_json()
