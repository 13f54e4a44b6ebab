from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from uuid import UUID

import pytest

from prs_otel.manual import arguments

NAN, INFINITY = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, 0), (0.5, 500_000_000), (2, 2_000_000_000)]
)
def test_seconds_become_nanoseconds(seconds: float, expected: int) -> None:
    assert arguments.nanoseconds("execution_time", seconds) == expected


@pytest.mark.parametrize("check", [arguments.nanoseconds, arguments.hours])
@pytest.mark.parametrize("value", [-1, NAN, INFINITY, -INFINITY, 10**400])
def test_a_time_that_none_can_be_is_refused(
    check: Callable[[str, object], float], value: float
) -> None:
    with pytest.raises(ValueError, match=r"^time cannot be .*: pass .*, such as "):
        check("time", value)


@pytest.mark.parametrize(
    "check",
    [
        arguments.nanoseconds,
        arguments.hours,
        arguments.metric_value,
        arguments.status_code,
        arguments.limit,
    ],
)
@pytest.mark.parametrize("value", ["1", None, True, Decimal(1), [1]])
def test_what_is_no_number_is_refused(
    check: Callable[[str, object], float], value: object
) -> None:
    with pytest.raises(TypeError, match=r"^it cannot be .*: pass .*"):
        check("it", value)


@pytest.mark.parametrize(
    ("given", "endpoint"),
    [
        ("/api/deals/", "/api/deals/"),
        ("deals", "/deals"),
        ("/deals/?card=4111", "/deals/"),
        ("/deals/#4111", "/deals/"),
    ],
)
def test_an_endpoint_has_its_leading_slash_and_no_query_string(
    given: str, endpoint: str
) -> None:
    assert arguments.endpoint("endpoint", given) == endpoint


@pytest.mark.parametrize("value", [99, 600, -200])
def test_a_status_that_http_has_not_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match=r"status_code cannot be .*, such as 200"):
        arguments.status_code("status_code", value)


def test_a_status_may_be_that_of_the_standard_library() -> None:
    assert arguments.status_code("status_code", HTTPStatus.NOT_FOUND) == 404


def test_an_id_is_kept_as_text() -> None:
    uuid = UUID(int=7)

    assert arguments.identity("user_id", 7) == "7"
    assert arguments.identity("user_id", "seven") == "seven"
    assert arguments.identity("user_id", uuid) == str(uuid)
    assert arguments.identity("user_id", None) is None
    assert len(arguments.identity("user_id", "x" * 300) or "") == 200


@pytest.mark.parametrize(
    ("value", "error"), [(True, TypeError), (1.5, TypeError), ("", ValueError)]
)
def test_what_is_no_id_is_refused(value: object, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"user_id cannot be .*: pass an id"):
        arguments.identity("user_id", value)


@pytest.mark.parametrize("value", ["", "  "])
def test_a_text_that_says_nothing_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"query cannot be .*such as 'SELECT 1'"):
        arguments.text("query", value, such_as="SELECT 1")


def test_a_long_value_is_shown_by_its_beginning() -> None:
    with pytest.raises(TypeError) as caught:
        arguments.text("query", ["x" * 500], such_as="SELECT 1")

    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("name", ["queue_length", "deals.backlog", "_x1"])
def test_a_metric_may_have_a_name_that_rules_can_write(name: str) -> None:
    assert arguments.metric_name("name", name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "queue length",
        "1st",
        "a-b",
        "x" * 101,
        "cpu_percent",
        "prs.cache.hits",
        "db_connections",
    ],
)
def test_a_metric_may_have_neither_a_strange_name_nor_one_of_ours(name: str) -> None:
    with pytest.raises(ValueError, match=r"^name cannot be .*such as 'queue_length'"):
        arguments.metric_name("name", name)


@pytest.mark.parametrize("value", [NAN, INFINITY, -INFINITY])
def test_a_metric_is_finite(value: Any) -> None:
    with pytest.raises(ValueError, match=r"value cannot be (nan|-?inf): pass a finite"):
        arguments.metric_value("value", value)


class Unspeakable:
    def __repr__(self) -> str:
        raise LookupError


@pytest.mark.parametrize(
    ("check", "value", "error"),
    [
        (arguments.nanoseconds, 1 << 20_000, ValueError),
        (arguments.metric_value, 1 << 20_000, ValueError),
        (arguments.identity, 1 << 20_000, ValueError),
        (arguments.nanoseconds, Unspeakable(), TypeError),
        (arguments.identity, Unspeakable(), TypeError),
    ],
    # pytest would write the values.
    ids=["seconds", "metric", "id", "seconds of a type", "id of a type"],
)
def test_what_cannot_be_shown_is_refused_by_its_type(
    check: Callable[[str, object], object], value: object, error: type[Exception]
) -> None:
    with pytest.raises(error, match=rf"^it cannot be this {type(value).__name__}: "):
        check("it", value)


def test_what_cannot_be_stored_is_replaced() -> None:
    assert arguments.endpoint("endpoint", "/a\ud800/") == "/a?/"
    assert arguments.label("name", "a\ud800" + "x" * 999) == "a?" + "x" * 198
