"""A time in which certain alerts are not told: once, or again and again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Final, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from alerting.notifications.matchers import Matchers

__all__ = ["Silence", "Weekly"]

LONGEST: Final = timedelta(days=366)


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError(
            f'{name!r} is no time zone; write "UTC" or "Europe/Berlin"'
        ) from error
    return name


class Weekly(BaseModel):
    """Some hours of some weekdays; hours that end before they begin go on after midnight.

    Monday is 0. A night belongs to the day on which it begins. A time with an offset of its
    own ("22:00+02:00") is meant there, one without in `timezone`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    weekdays: Annotated[
        tuple[Annotated[int, Field(ge=0, le=6)], ...], Field(min_length=1, max_length=7)
    ]
    start: time
    end: time
    timezone: Annotated[str, AfterValidator(_known_zone)] = "UTC"

    @model_validator(mode="before")
    @classmethod
    def _name_the_zone(cls, data: object) -> object:
        return _with_zone_named(data) if isinstance(data, Mapping) else data

    def until(self, now: float) -> float | None:
        """Return when the hours end in which `now` lies, None when it lies in none."""
        zone = ZoneInfo(self.timezone)
        today = datetime.fromtimestamp(now, self.start.tzinfo or zone).date()
        for day in (today - timedelta(days=1), today):
            for start, end in self._hours(day, zone):
                if start <= now < end:
                    return end
        return None

    def _hours(self, day: date, zone: ZoneInfo) -> Iterator[tuple[float, float]]:
        if day.weekday() in self.weekdays:
            start = _moment(day, self.start, zone)
            yield start, self._end(day, start, zone)

    def _end(self, day: date, start: float, zone: ZoneInfo) -> float:
        if self.start.tzinfo == self.end.tzinfo:
            # As the clock on the wall has it, which may leave hours out or repeat them.
            last = day if self.end > self.start else day + timedelta(days=1)
            return _moment(last, self.end, zone)
        days = (day + timedelta(days=n) for n in range(-2, 4))
        ends = (_moment(each, self.end, zone) for each in days)
        return next(end for end in ends if end > start)


def _moment(day: date, clock: time, zone: ZoneInfo) -> float:
    return datetime.combine(day, clock, clock.tzinfo or zone).timestamp()


def _with_zone_named(data: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """Move the zone of Python's times to `timezone`: JSON could not keep it in a time."""
    clocks = {
        name: data[name]
        for name in ("start", "end")
        if isinstance(data.get(name), time) and isinstance(data[name].tzinfo, ZoneInfo)
    }
    if not clocks:
        return data
    zones = {str(clock.tzinfo) for clock in clocks.values()}
    zones |= {str(data["timezone"])} if "timezone" in data else set()
    if len(zones) > 1:
        names = " and ".join(sorted(zones))
        raise ValueError(f"hours have one time zone, not {names}; write it in timezone")
    plain = {name: clock.replace(tzinfo=None) for name, clock in clocks.items()}
    return {**data, **plain, "timezone": zones.pop()}


class Silence(BaseModel):
    """Alerts that match are not told from `starts_at` to `ends_at`; `weekly` only then."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    matchers: Matchers
    starts_at: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))
    ends_at: AwareDatetime
    weekly: Weekly | None = None
    comment: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    id: str = ""
    author: str = ""

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> Self:
        if self.ends_at <= self.starts_at:
            raise ValueError("ends_at must be later than starts_at")
        if self.ends_at - self.starts_at > LONGEST:
            raise ValueError(
                "a silence lasts at most a year; what never matters needs no rule"
            )
        return self

    def until(self, now: float) -> float | None:
        """Return until when the silence lasts at `now`, None when it does not."""
        end = self.ends_at.timestamp()
        if not self.starts_at.timestamp() <= now < end:
            return None
        if self.weekly is None:
            return end
        part = self.weekly.until(now)
        return None if part is None else min(part, end)

    def definition(self) -> dict[str, Any]:
        """Return what is stored as JSON: who is meant, and in which hours."""
        return self.model_dump(mode="json", include={"matchers", "weekly"})
