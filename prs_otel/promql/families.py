"""The series that the figures of a metric are made of, by their names in Prometheus."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from prs_otel.derived import catalog
from prs_otel.promql.names import metric_name
from prs_otel.rollup import series
from prs_otel.rollup.catalog import CACHE_HIT_RATE


@dataclass(frozen=True, slots=True)
class Family:
    """Name the series of one kind of observation; what is empty is not exported.

    ``count`` and ``total`` are counters, ``buckets`` those of a histogram, ``errors`` and ``slow``
    counters of the observations that were.
    """

    labels: Collection[str]
    count: str
    total: str = ""
    buckets: str = ""
    errors: str = ""
    slow: str = ""


def counter(kind: str, figure: str) -> str:
    """Return the series of the sum of a figure of a kind; raises ``StopIteration`` for none."""
    found = next(
        each for each in catalog.COUNTED if (each.kind, each.figure) == (kind, figure)
    )
    return metric_name(found.name, unit=found.unit, kind="counter")


def _looked(counter: str) -> str:
    found = next(each for each in catalog.LOOKED if each.counter == counter)
    return metric_name(found.name, unit=found.unit, kind="counter")


def _timed(kind: str) -> Family:
    found = next(each for each in catalog.TIMED if each.kind == kind)
    name = metric_name(found.name, unit="s", kind="histogram")
    return Family(
        labels=found.labels,
        count=f"{name}_count",
        total=f"{name}_sum",
        buckets=f"{name}_bucket",
        errors=counter(kind, "errors"),
        slow=counter(kind, "slow"),
    )


_TENANT: Final = Family(
    labels=("prs.tenant.id",),
    count=counter(series.ORGANIZATION, "count"),
    errors=counter(series.ORGANIZATION, "errors"),
)
_CACHE: Final = Family(
    labels=("prs.cache.alias", "prs.cache.operation"),
    count=counter(series.CACHE, "count"),
    total=counter(series.CACHE, "total"),
)
FAMILIES: Final = {
    "http.server.request": (_timed(series.REQUEST), _TENANT),
    "db.client.operation": (_timed(series.QUERY),),
    "prs.task": (_timed(series.TASK),),
    "prs.cache.operation": (_CACHE,),
}
HITS: Final = _looked(series.CACHE_HITS)
MISSES: Final = _looked(series.CACHE_MISSES)
HIT_RATE_LABELS: Final = ("prs.cache.alias",)
GAUGES: Final = {
    each.name: metric_name(each.name, unit=each.unit, kind="gauge")
    for each in catalog.READ
}


def family_of(name: str, labels: Collection[str]) -> Family:
    """Return the series of ``name`` that have all ``labels``; raises ``LookupError``."""
    wanted = {*labels}
    for family in FAMILIES[name]:
        if wanted <= {*family.labels}:
            return family
    raise LookupError(
        f"{name} is not exported with the labels {', '.join(sorted(wanted))}: statements "
        "and users are left out, as their number has no bound; organisations are not told "
        "apart by endpoint, and hosts not by what they answer"
    )


def is_hit_rate(name: str) -> bool:
    """Tell whether ``name`` is the share of look-ups that a cache could answer."""
    return name == CACHE_HIT_RATE
