"""Refuse, in words, what cannot be recorded."""

from __future__ import annotations

import re
from typing import Final, TypeGuard

from prs_otel import texts

NANOSECONDS: Final = 1_000_000_000
LONGEST: Final = 31_536_000  # seconds: a year
MOST_HOURS: Final = 8_760
ENDPOINT_LIMIT: Final = 500
LABEL_LIMIT: Final = 200
NAME_LIMIT: Final = 100

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_SHOWN: Final = 80
# What we measure by ourselves would be overwritten by a value of the same name.
_OURS: Final = re.compile(
    r"(system|process|prs|http\.server\.request|db\.client)\..*"
    r"|(cpu|memory|disk)_percent|slow_query_rate|api_error_rate"
    r"|database_connections|db_connections"
)


def nanoseconds(argument: str, value: object) -> int:
    """Return seconds as whole nanoseconds; raises `TypeError` or `ValueError`."""
    if not _is_number(value):
        raise TypeError(_refusal(argument, value, "seconds as a number, such as 0.5"))
    if not 0 <= value <= LONGEST:
        wanted = f"seconds from 0 to {LONGEST:,}, such as 0.5"
        raise ValueError(_refusal(argument, value, wanted))
    return round(value * NANOSECONDS)


def text(argument: str, value: object, *, such_as: str) -> str:
    """Return a text that says something; raises `TypeError` or `ValueError`."""
    wanted = f"a text that is not empty, such as {such_as!r}"
    if not isinstance(value, str):
        raise TypeError(_refusal(argument, value, wanted))
    if not value.strip():
        raise ValueError(_refusal(argument, value, wanted))
    return value


def label(argument: str, value: object) -> str:
    """Return what something is to be known by; raises `TypeError` or `ValueError`."""
    return texts.storable(text(argument, value, such_as="nightly report"), LABEL_LIMIT)


def endpoint(argument: str, value: object) -> str:
    """Return a route with its leading slash and without a query string."""
    route = text(argument, value, such_as="/api/deals/").strip()
    route = route.partition("?")[0].partition("#")[0]
    route = texts.storable(route, ENDPOINT_LIMIT)
    return route if route.startswith("/") else f"/{route}"


def status_code(argument: str, value: object) -> int:
    """Return an HTTP status; raises `TypeError` or `ValueError`."""
    wanted = "an HTTP status from 100 to 599, such as 200"
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(_refusal(argument, value, wanted))
    if not 100 <= value <= 599:
        raise ValueError(_refusal(argument, value, wanted))
    return int(value)


def identity(argument: str, value: object) -> str | None:
    """Return an id as text, `None` for none; raises `TypeError` or `ValueError`."""
    try:
        return texts.identifier(value)
    except TypeError:
        kind = ValueError if _may_be_id(value) else TypeError
        wanted = (
            f"an id (int, str or UUID of up to {texts.ID_LIMIT} characters) or None"
        )
        raise kind(_refusal(argument, value, wanted)) from None


def metric_name(argument: str, value: object) -> str:
    """Return a name that rules and templates can use, and that is none of ours."""
    wanted = f"letters, digits, '_' and '.', up to {NAME_LIMIT}, such as 'queue_length'"
    if not isinstance(value, str):
        raise TypeError(_refusal(argument, value, wanted))
    if len(value) > NAME_LIMIT or _NAME.fullmatch(value) is None:
        raise ValueError(_refusal(argument, value, wanted))
    if _OURS.fullmatch(value) is not None:
        wanted = "a name that prs_otel does not measure itself, such as 'queue_length'"
        raise ValueError(_refusal(argument, value, wanted))
    return value


def metric_value(argument: str, value: object) -> float:
    """Return a finite number; raises `TypeError` or `ValueError`."""
    wanted = "a finite number, such as 42 or 0.5"
    if not _is_number(value):
        raise TypeError(_refusal(argument, value, wanted))
    if not -1e300 <= value <= 1e300:
        raise ValueError(_refusal(argument, value, wanted))
    return float(value)


def hours(argument: str, value: object) -> float:
    """Return the length of a window; raises `TypeError` or `ValueError`."""
    wanted = f"hours above 0 and up to {MOST_HOURS}, such as 24"
    if not _is_number(value):
        raise TypeError(_refusal(argument, value, wanted))
    if not 0 < value <= MOST_HOURS:
        raise ValueError(_refusal(argument, value, wanted))
    return float(value)


def limit(argument: str, value: object) -> int:
    """Return how many samples are asked for; raises `TypeError` or `ValueError`."""
    wanted = "a whole number from 1 to 100, such as 50"
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(_refusal(argument, value, wanted))
    if not 1 <= value <= 100:
        raise ValueError(_refusal(argument, value, wanted))
    return value


def _may_be_id(value: object) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _refusal(argument: str, value: object, wanted: str) -> str:
    try:
        shown = repr(value)
    except Exception:  # noqa: BLE001 - even of a number, when it has too many digits
        shown = f"this {type(value).__name__}"
    if len(shown) > _SHOWN:
        shown = f"{shown[:_SHOWN]}…"
    return f"{argument} cannot be {shown}: pass {wanted}"
