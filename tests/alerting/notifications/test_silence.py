from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from alerting.notifications.silence import Silence, Weekly

NIGHT: dict[str, Any] = {"weekdays": [4], "start": "22:00", "end": "06:00"}


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def silence(**fields: Any) -> Silence:
    return Silence.model_validate(
        {
            "matchers": {"alertname": "high_cpu_usage"},
            "starts_at": "2026-01-01T00:00:00Z",
            "ends_at": "2026-02-01T00:00:00Z",
            "comment": "moving house",
            **fields,
        }
    )


def test_a_silence_lasts_from_its_start_to_its_end() -> None:
    end = at("2026-02-01T00:00")
    moments = (
        "2025-12-31T23:59",
        "2026-01-01T00:00",
        "2026-01-31T23:59",
        "2026-02-01T00:00",
    )

    assert [silence().until(at(each)) for each in moments] == [None, end, end, None]


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        ("2026-01-02T21:59", None),  # a Friday
        ("2026-01-02T22:00", "2026-01-03T06:00"),
        ("2026-01-03T05:59", "2026-01-03T06:00"),
        ("2026-01-03T06:00", None),
        ("2026-01-03T22:30", None),
        ("2026-01-31T23:00", None),
    ],
)
def test_a_weekly_one_lasts_for_its_hours(moment: str, end: str | None) -> None:
    found = silence(weekly=NIGHT).until(at(moment))

    assert found == (None if end is None else at(end))


def test_the_hours_are_those_of_the_clock_on_the_wall() -> None:
    berlin = Weekly.model_validate(
        {"weekdays": [6], "start": "01:00", "end": "04:00", "timezone": "Europe/Berlin"}
    )

    # The night in which the hour from two to three is left out.
    assert berlin.until(at("2026-03-29T00:30")) == at("2026-03-29T02:00")
    assert berlin.until(at("2026-03-29T02:00")) is None
    assert berlin.until(at("2026-03-22T00:30")) == at("2026-03-22T03:00")


def test_a_weekly_one_ends_with_its_silence() -> None:
    ends = "2026-01-03T01:00:00Z"

    assert silence(weekly=NIGHT, ends_at=ends).until(at("2026-01-02T23:00")) == at(
        "2026-01-03T01:00"
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"ends_at": "2025-12-01T00:00:00Z"}, "ends_at must be later than starts_at"),
        ({"ends_at": "2028-01-01T00:00:00Z"}, "lasts at most a year"),
        ({"ends_at": "2026-01-05T00:00:00"}, "timezone"),
        ({"comment": ""}, "at least 1 character"),
        ({"matchers": {}}, "at least 1 item"),
        ({"weekly": {**NIGHT, "weekdays": [7]}}, "less than or equal to 6"),
        ({"weekly": {**NIGHT, "timezone": "Mars/Base"}}, 'write "UTC"'),
        ({"weekly": {**NIGHT, "timezone": "../../etc"}}, 'write "UTC"'),
        ({"for": "1h"}, "Extra inputs are not permitted"),
    ],
)
def test_a_mistake_is_refused_in_words(fields: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        silence(**fields)


def test_what_is_stored_reads_back_as_the_same() -> None:
    made = silence(
        weekly=NIGHT, matchers=[{"name": "a", "operator": "!~", "value": "b*"}]
    )

    assert silence(**made.definition()) == made
