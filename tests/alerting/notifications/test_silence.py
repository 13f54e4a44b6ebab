from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

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


@pytest.mark.parametrize(
    ("hours", "inside", "end"),
    [
        # An offset of its own counts, whatever the zone is; 2026-01-02 is a Friday.
        (("22:00Z", "06:00Z"), "2026-01-02T22:00", "2026-01-03T06:00"),
        (("22:00+02:00", "06:00+02:00"), "2026-01-02T20:00", "2026-01-03T04:00"),
        (("00:30+02:00", "01:00+02:00"), "2026-01-01T22:30", "2026-01-01T23:00"),
        # Two offsets, or one and none: to the first such moment after the start.
        (("22:00+02:00", "06:00"), "2026-01-02T20:00", "2026-01-03T06:00"),
        (("22:00", "06:00+02:00"), "2026-01-02T22:00", "2026-01-03T04:00"),
        (("22:00", "23:00+05:00"), "2026-01-02T22:00", "2026-01-03T18:00"),
        (("00:00+14:00", "23:00-12:00"), "2026-01-01T10:00", "2026-01-01T11:00"),
    ],
)
def test_hours_with_an_offset_are_meant_there(
    hours: tuple[str, str], inside: str, end: str
) -> None:
    weekly = Weekly.model_validate(
        {"weekdays": [4], "start": hours[0], "end": hours[1]}
    )

    assert weekly.until(at(inside)) == at(end)
    assert weekly.until(at(inside) - 1) is None
    assert weekly.until(at(end)) is None


def test_hours_with_an_offset_do_not_follow_the_clock_on_the_wall() -> None:
    fixed = Weekly.model_validate(
        {
            "weekdays": [6],
            "start": "01:00+01:00",
            "end": "04:00",
            "timezone": "Europe/Berlin",
        }
    )

    # The night in which the hour from two to three is left out, and the one before.
    assert fixed.until(at("2026-03-29T00:00")) == at("2026-03-29T02:00")
    assert fixed.until(at("2026-03-22T00:00")) == at("2026-03-22T03:00")


def test_the_hour_that_comes_twice_is_silent_twice() -> None:
    berlin = Weekly.model_validate(
        {"weekdays": [6], "start": "02:00", "end": "04:00", "timezone": "Europe/Berlin"}
    )

    for moment in ("2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T02:30"):
        assert berlin.until(at(moment)) == at("2026-10-25T03:00")


def test_the_zone_of_a_time_in_python_is_the_zone_of_the_hours() -> None:
    zone = ZoneInfo("Europe/Berlin")
    made = silence(
        weekly={
            "weekdays": [4],
            "start": time(22, tzinfo=zone),
            "end": time(6, tzinfo=zone),
        }
    )

    assert made.weekly is not None
    assert made.weekly.timezone == "Europe/Berlin"
    assert made.until(at("2026-01-02T21:00")) == at("2026-01-03T05:00")
    assert silence(**made.definition()) == made


def test_hours_have_one_zone() -> None:
    start = time(22, tzinfo=ZoneInfo("Europe/Berlin"))

    with pytest.raises(ValidationError, match="not Europe/Berlin and UTC; write it in"):
        silence(weekly={**NIGHT, "start": start, "timezone": "UTC"})


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
