from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from prs_otel.instrumentation import driver_spans
from prs_otel.instrumentation.driver_spans import is_traced, untraced


class Plain:
    """A driver's own cursor."""


class Traced:
    """A cursor as a driver's instrumentor makes it."""


class Derived(Traced):
    """One that somebody has derived from it."""


class OfBackend:
    """A cursor that a backend of Django's puts around the driver's."""

    def __init__(self, cursor: object) -> None:
        self.cursor = cursor


Traced.__module__ = "opentelemetry.instrumentation.dbapi"


@pytest.fixture(autouse=True)
def _none_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver_spans, "_kinds", {})


def django(cursor: object) -> Any:
    return SimpleNamespace(cursor=cursor)


@pytest.mark.parametrize(
    ("cursor", "expected"),
    [
        (Plain(), False),
        (Traced(), True),
        (Derived(), True),
        (OfBackend(Plain()), False),
        (OfBackend(Traced()), True),
        (OfBackend(OfBackend(Traced())), True),
    ],
)
def test_a_traced_cursor_is_found_however_it_is_wrapped(
    cursor: object, expected: bool
) -> None:
    for _ in range(2):
        assert is_traced(django(cursor)) is expected


def test_one_of_a_kind_says_nothing_of_what_is_inside_another() -> None:
    assert not is_traced(django(OfBackend(Plain())))
    assert is_traced(django(OfBackend(Traced())))


def test_what_has_no_end_is_not_followed() -> None:
    endless = MagicMock()
    assert not is_traced(endless)
    assert not is_traced(object())


def test_kinds_beyond_the_limit_are_learnt_anew() -> None:
    for number in range(3 * driver_spans._KINDS_LIMIT):
        assert not is_traced(django(type(f"Cursor{number}", (Plain,), {})()))

    assert len(driver_spans._kinds) <= driver_spans._KINDS_LIMIT


def test_spans_of_others_are_suppressed_while_a_query_runs_only() -> None:
    seen: list[bool] = []
    untraced(lambda *_: seen.append(is_instrumentation_enabled()))("", None, False, {})

    assert seen == [False]
    assert is_instrumentation_enabled()
