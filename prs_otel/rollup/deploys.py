"""When another version of the service began to serve, told from the buckets it spoke in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from prs_otel.rollup import series

if TYPE_CHECKING:
    from prs_otel.rollup.digest import Digest
    from prs_otel.store.base import Row

KEPT: Final = 100
"""How many deploys are told at most, the latest ones."""
_ABSENCE: Final = 300.0
"""Seconds without a word after which a version that comes back was deployed again."""


@dataclass(frozen=True, slots=True)
class Deploy:
    """Name the version that began to serve ``at`` epoch seconds."""

    at: float
    version: str


def deploys(buckets: Iterable[tuple[Row, Digest]]) -> list[Deploy]:
    """Return the deploys in these buckets, oldest first.

    While workers are replaced one by one, two versions speak in turn; that is one deploy. What
    speaks first was there before.
    """
    seen: dict[str, float] = {}
    found: list[Deploy] = []
    for start, end, version in sorted(_spoken(buckets)):
        if _is_deployed(version, start, seen):
            found.append(Deploy(start, version))
        seen[version] = max(end, seen.get(version, end))
    return found[-KEPT:]


def _spoken(
    buckets: Iterable[tuple[Row, Digest]],
) -> Iterable[tuple[float, float, str]]:
    for row, digest in buckets:
        for name, labels in digest.gauges:
            if name == series.VERSION_GAUGE and labels:
                yield row.start, row.end, labels[0]


def _is_deployed(version: str, start: float, seen: dict[str, float]) -> bool:
    others = [end for other, end in seen.items() if other != version]
    if not others:
        return False
    before = seen.get(version)
    return before is None or (start - before > _ABSENCE and max(others) > before)
