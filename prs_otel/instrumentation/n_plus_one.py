"""Find the queries that one request ran again and again: the N+1 of an ORM.

Pure arithmetic over what a request has gathered. A statement repeated a few times, or
many times at next to no cost, is no finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prs_otel.observation import Thresholds
    from prs_otel.request_context import RequestContext

CodeSite = tuple[str, int, str]
"""File, line and function."""

Repeat = tuple[int, int, CodeSite | None]
"""How often a statement ran, how many nanoseconds that took, and which line ran it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One statement that one request repeated; `duration` is nanoseconds."""

    fingerprint: str
    count: int
    duration: int
    code: CodeSite | None = None


def findings(
    repeats: Mapping[str, Repeat], *, threshold: int, min_duration_ns: int
) -> tuple[Finding, ...]:
    """Return the statements repeated `threshold` times or more and for long enough.

    The costliest comes first.
    """
    found = [
        Finding(fingerprint, runs, duration, code)
        for fingerprint, (runs, duration, code) in repeats.items()
        if runs >= threshold and duration >= min_duration_ns
    ]
    return tuple(sorted(found, key=lambda each: each.duration, reverse=True))


def conclude(request: RequestContext, thresholds: Thresholds) -> None:
    """Note what a request or task that ends has repeated."""
    if request.query_count >= thresholds.n_plus_one_count:
        request.findings = findings(
            request.repeats,
            threshold=thresholds.n_plus_one_count,
            min_duration_ns=thresholds.n_plus_one_duration,
        )
