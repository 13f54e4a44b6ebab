"""Epoch seconds, as all arithmetic has them, and Django's datetimes."""

from __future__ import annotations

from datetime import UTC, datetime

from django.conf import settings
from django.utils import timezone

__all__ = ["from_datetime", "to_datetime", "utc"]


def to_datetime(at: float) -> datetime:
    """Return `at` as the project's models store it, aware or not by `USE_TZ`."""
    moment = utc(at)
    return moment if settings.USE_TZ else timezone.make_naive(moment)


def from_datetime(moment: datetime) -> float:
    """Return the epoch seconds of what `to_datetime` returned."""
    aware = timezone.make_aware(moment) if timezone.is_naive(moment) else moment
    return aware.timestamp()


def utc(at: float) -> datetime:
    """Return `at` as an aware datetime in UTC."""
    return datetime.fromtimestamp(at, UTC)
