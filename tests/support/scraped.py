"""Read what Prometheus would, by the parsers of its own client library."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prometheus_client import Metric
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.samples import Exemplar

from prs_otel.scrape.exposition import written
from prs_otel.scrape.snapshot import taken
from tests.support.measured import Measured

OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0"

Series = tuple[str, frozenset[tuple[str, str]]]


def scraped(measured: Measured, *, accept: str = OPENMETRICS) -> str:
    """Return the text of a scrape of what was measured."""
    snapshot = taken(measured.flush(), limit=measured.series_limit, now=measured.now)
    assert snapshot is not None
    return written(snapshot, accept=accept)[0].decode()


def families(text: str) -> dict[str, Metric]:
    """Return every metric of an OpenMetrics text, by its name; the text has to be valid."""
    found: Iterator[Metric] = openmetrics.text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    return {family.name: family for family in found}


def values(text: str) -> dict[Series, float]:
    """Return the value of each series."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families(text).values()
        for sample in family.samples
    }


def monotone(text: str) -> dict[Series, float]:
    """Return the value of each series that must never fall."""
    return {
        series: value
        for series, value in values(text).items()
        if series[0].endswith(("_total", "_bucket", "_sum"))
        or (series[0].endswith("_count") and not series[0].startswith("db_client_c"))
    }


def value(text: str, name: str, **labels: str) -> float:
    """Return the value of one series."""
    return values(text)[name, frozenset(labels.items())]


def exemplars(text: str) -> Iterator[tuple[str, Exemplar]]:
    """Yield the exemplars, each with the upper edge of its bucket."""
    for family in families(text).values():
        for sample in family.samples:
            if sample.exemplar:
                yield sample.labels["le"], sample.exemplar
