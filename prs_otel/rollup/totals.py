"""The sums of a bucket over all of its series, stored beside them for who draws a trend.

A day of trends visits hundreds of buckets: to sum up each of their series anew takes seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prs_otel.rollup import salvage, series
from prs_otel.rollup.cell import sum_of
from prs_otel.rollup.cells import Cells

if TYPE_CHECKING:
    from prs_otel.rollup.packed import Packed

KINDS: Final = (series.REQUEST, series.QUERY, series.TASK)
_WHOLE: Final[series.Labels] = ()
"""The labels of the one series that is all series of a kind."""


def totals(cells: Cells) -> Cells:
    """Return one series for each kind that is drawn as a whole, and the sums of the counters."""
    summed = Cells(1)
    for name, counter in cells.counters.items():
        summed.count(name, _WHOLE, sum(counter.values()))
    for kind in KINDS:
        of_kind = cells.by_kind.get(kind)
        if of_kind:
            summed.by_kind[kind] = {_WHOLE: sum_of(list(of_kind.values()))}
    return summed


def merge(into: Cells, stored: bytes, packed: Packed) -> None:
    """Add the totals of a bucket to others; what is not ``stored`` is summed up anew."""
    found = salvage.cells(stored) if stored else None
    if found is None:
        into.merge(totals(packed.unpacked(len(packed.names))))
    else:
        found.merge_into(into)
