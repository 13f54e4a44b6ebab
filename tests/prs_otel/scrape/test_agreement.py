"""The exported rules ask for nothing that a scrape does not have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import pytest

from prs_otel import semconv
from prs_otel.derived.catalog import READ
from prs_otel.promql import families as promql
from prs_otel.promql.names import label_name
from prs_otel.rollup.cache_call import CacheCall
from tests.support.commands import manage_monitoring
from tests.support.measured import Measured, Whose
from tests.support.scraped import scraped, values

NOW: Final = 1_700_000_000.0
_SELECTOR: Final = re.compile(r"([a-zA-Z_:][\w:]*)(\{[^}]*\})?\[\d+s\]")
_GROUPING: Final = re.compile(r"\bby \(([^)]*)\)")
_MATCHER: Final = re.compile(r"(\w+)=")


@pytest.fixture
def labels_of() -> dict[str, set[str]]:
    """Return the labels of each series in a scrape of every kind of traffic."""
    measured = Measured(now=NOW)
    measured.request(3.0, status=500, whose=Whose(organization_id="acme"))
    measured.query(2.0, is_error=True)
    measured.task(100.0, is_error=True)
    call = CacheCall(2_000_000, 3, 1, is_error=True)
    measured.rollup.record_cache(("default", "get"), call)
    for read in READ:
        measured.gauge(read.name, 0.5)
    found: dict[str, set[str]] = {}
    for name, labels in values(scraped(measured)):
        found.setdefault(name, set()).update(dict(labels))
    return found


def test_every_name_that_an_expression_may_have_is_there(
    labels_of: dict[str, set[str]],
) -> None:
    for family in (each for found in promql.FAMILIES.values() for each in found):
        labels = set(map(label_name, family.labels))
        for name in (family.count, family.total, family.errors, family.slow):
            assert not name or labels_of[name] == labels
        if family.buckets:
            assert labels_of[family.buckets] == {*labels, "le"}
    for name in (promql.HITS, promql.MISSES):
        assert labels_of[name] == set(map(label_name, promql.HIT_RATE_LABELS))
    for name in promql.GAUGES.values():
        assert labels_of[name] == {label_name(semconv.HOST_NAME)}


@pytest.mark.django_db
def test_the_built_in_rules_ask_for_what_is_there(
    labels_of: dict[str, set[str]],
) -> None:
    text = manage_monitoring("export-rules", "--source", "scrape").text
    expressions = [line for line in text.splitlines() if re.search(r"\[\d+s\]", line)]

    asked = list(selected(expressions))

    assert len({name for name, _ in asked}) >= 6
    for name, labels in asked:
        assert labels <= labels_of[name], name


def selected(expressions: list[str]) -> Iterator[tuple[str, set[str]]]:
    """Yield each series that is asked for, with the labels by which it is."""
    for expression in expressions:
        by = {
            label.strip()
            for found in _GROUPING.findall(expression)
            for label in found.split(",")
        }
        for name, matchers in _SELECTOR.findall(expression):
            yield name, {*by, *_MATCHER.findall(matchers)}
