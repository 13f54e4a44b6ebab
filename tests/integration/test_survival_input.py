"""Hostile and absurd input costs neither memory nor truth."""

from __future__ import annotations

import psutil
import pytest

from tests.support.monitored import quick, summary, wait_for_counts
from tests.support.servers import gunicorn, serving
from tests.support.sites import Site

pytestmark = pytest.mark.uncovered

MEGABYTE = 1_000_000


def resident(pids: list[int]) -> int:
    return max(psutil.Process(pid).memory_info().rss for pid in pids)


def test_ten_thousand_unknown_paths_are_one_series(site: Site) -> None:
    site = quick(site)

    with serving(site, gunicorn("--threads=4", workers=2)) as server:
        server.client.get_all([f"/nowhere/{n}/" for n in range(200)])
        before = resident(server.workers())
        paths = [f"/nowhere/{n}/" for n in range(200, 10_000)]
        answers = server.client.get_all(paths, at_once=8)
        grown = resident(server.workers()) - before

        assert {status for _, status in answers} == {404}
        wait_for_counts(site, {"__unresolved__": 10_000})

    endpoints = {row["endpoint"] for row in summary(site)["endpoints"]}
    assert "__unresolved__" in endpoints
    assert not any("nowhere" in endpoint for endpoint in endpoints)
    assert grown < 15 * MEGABYTE


def test_ten_thousand_different_statements_are_bounded_and_sum_to_the_total(
    site: Site,
) -> None:
    site = quick(site)

    with serving(site, gunicorn("--threads=4", workers=2)) as server:
        server.client.get_all([f"/queries/distinct/{n}/" for n in range(200)])
        before = resident(server.workers())
        paths = [f"/queries/distinct/{n}/" for n in range(200, 10_000)]
        answers = server.client.get_all(paths, at_once=8)
        grown = resident(server.workers()) - before

        assert {status for _, status in answers} == {200}
        wait_for_counts(site, {"/queries/distinct/<int:number>/": 10_000})

    document = summary(site)
    fingerprints = document["fingerprints"]
    assert document["queries"]["count"] == 10_000
    assert sum(row["count"] for row in fingerprints) == 10_000
    assert len(fingerprints) <= 2_001
    assert "__other__" in {row["fingerprint"] for row in fingerprints}
    assert grown < 60 * MEGABYTE


def test_a_statement_of_a_megabyte_is_cut_and_counted(site: Site) -> None:
    site = quick(site)

    with serving(site, gunicorn(workers=1)) as server:
        assert server.client.get(f"/queries/large/{MEGABYTE}/").status == 200
        wait_for_counts(site, {"/queries/large/<int:size>/": 1})

    (row,) = summary(site)["fingerprints"]
    assert row["count"] == 1
    assert len(row["query"]) <= 4_096
