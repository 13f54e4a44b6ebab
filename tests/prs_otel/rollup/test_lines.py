from __future__ import annotations

import pytest

from prs_otel.rollup import lines, series
from prs_otel.rollup.lines import Line
from prs_otel.rollup.view import MetricsView
from prs_otel.store.base import Store
from tests.prs_otel.rollup.stored import Writer, new_store, new_view, requests

NOW = 1_700_000_000.0
OF_A = ("/a/", "GET")


@pytest.fixture
def store() -> Store:
    return new_store()


@pytest.fixture
def view(store: Store) -> MetricsView:
    return new_view(store)


def drawn(view: MetricsView, *, now: float = NOW) -> dict[tuple[str, ...], Line]:
    return dict(view.lines(seconds=60.0, step=10, now=now).by_endpoint)


def test_a_bucket_counts_in_the_point_its_middle_falls_in(
    store: Store, view: MetricsView
) -> None:
    writer = Writer(store)
    writer.append(requests(("/a/", 10**9)), at=NOW - 18)
    writer.append(requests(("/a/", 10**9), ("/b/", 1)), at=NOW - 17)

    line = drawn(view)[OF_A]

    assert line.counts == [0, 0, 0, 1, 1, 0]
    assert line.totals == [0, 0, 0, 1.0, 1.0, 0]


def test_the_last_second_of_a_window_counts_in_its_last_point(
    store: Store, view: MetricsView
) -> None:
    Writer(store).append(requests(("/a/", 1)), at=NOW + 2.5)

    assert sum(drawn(view)[OF_A].counts) == 1


def test_what_is_no_request_has_no_line(store: Store, view: MetricsView) -> None:
    cells = requests(("/a/", 1))
    cells.cell(series.QUERY, ("default", "f")).observe(1)
    Writer(store).append(cells, at=NOW - 5)

    assert drawn(view).keys() == {OF_A}


def test_what_was_read_once_is_not_read_again(
    store: Store, view: MetricsView, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer(store)
    writer.append(requests(("/a/", 1)), at=NOW - 15)
    drawn(view)
    writer.append(requests(("/a/", 1)), at=NOW - 5)
    read: list[object] = []
    digest = lines.ENDPOINTS.digest

    def noted(_: object, stored: bytes) -> lines.Columns:
        read.append(stored)
        return digest(stored)

    monkeypatch.setattr(type(lines.ENDPOINTS), "digest", noted)

    assert drawn(view)[OF_A].counts == [0, 0, 0, 0, 1, 1]
    assert len(read) == 1
