from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from prs_otel.rollup import series
from prs_otel.rollup.cell import Cell
from prs_otel.rollup.cells import Cells, folded_to
from prs_otel.rollup.figures import Figures, merge

observations = st.lists(
    st.tuples(
        st.sampled_from(["/a/", "/b/", "/c/", "/d/"]),
        st.integers(0, 10**10),
        st.booleans(),
        st.booleans(),
    )
)


def cells_of(observed: list[tuple[str, int, bool, bool]], *, limit: int = 100) -> Cells:
    cells = Cells(limit)
    for endpoint, duration, is_error, is_slow in observed:
        cell = cells.cell(series.REQUEST, (endpoint, "GET"))
        cell.observe(duration, is_error=is_error, is_slow=is_slow)
    return cells


def figures(cell: Cell) -> tuple[object, ...]:
    return tuple(getattr(cell, name) for name in Cell.__slots__)


def all_figures(cells: Cells) -> dict[str, dict[series.Labels, tuple[object, ...]]]:
    return {
        kind: {labels: figures(cell) for labels, cell in of_kind.items()}
        for kind, of_kind in cells.by_kind.items()
        if of_kind
    }


def total(cells: Mapping[series.Labels, Cell]) -> Cell:
    """Return the sum of all series."""
    return merge(Figures(cell) for cell in cells.values()).cell


@given(observations, observations)
def test_merging_two_parts_equals_observing_all_at_once(
    first: list[tuple[str, int, bool, bool]], second: list[tuple[str, int, bool, bool]]
) -> None:
    parts = cells_of(first)
    parts.merge(cells_of(second))

    assert all_figures(parts) == all_figures(cells_of(first + second))


@given(observations, observations)
def test_subtracting_what_was_merged_leaves_everything_but_the_maximum_exact(
    first: list[tuple[str, int, bool, bool]], second: list[tuple[str, int, bool, bool]]
) -> None:
    sliding = cells_of(first)
    sliding.merge(cells_of(second))
    sliding.subtract(cells_of(first))
    for of_kind in (sliding.by_kind, exact := cells_of(second).by_kind):
        for cell in of_kind.get(series.REQUEST, {}).values():
            cell.maximum = 0

    assert all_figures(sliding) == {
        kind: {labels: figures(cell) for labels, cell in of_kind.items()}
        for kind, of_kind in exact.items()
    }


@given(observations, observations)
def test_the_maximum_after_a_subtraction_is_within_a_bucket_of_the_exact_one(
    first: list[tuple[str, int, bool, bool]], second: list[tuple[str, int, bool, bool]]
) -> None:
    sliding = cells_of(first)
    sliding.merge(cells_of(second))
    sliding.subtract(cells_of(first))

    for labels, cell in cells_of(second).by_kind.get(series.REQUEST, {}).items():
        found = sliding.by_kind[series.REQUEST][labels].maximum
        assert cell.maximum <= found <= cell.maximum * 33 / 32


def test_the_maximum_goes_with_the_last_of_its_bucket() -> None:
    cell, twins, smaller = Cell(), (Cell(), Cell()), Cell()
    smaller.observe(1_000)
    for twin, duration in zip(twins, (1_000_000, 1_000_001), strict=True):
        twin.observe(duration)
    for part in (smaller, *twins):
        cell.merge(part)

    cell.subtract(twins[1])
    cell.subtract(twins[0])

    assert 1_000 <= cell.maximum <= 1_000 * 33 / 32


@given(observations, st.integers(1, 3))
def test_series_beyond_the_cap_sum_to_the_total_in_other(
    observed: list[tuple[str, int, bool, bool]], limit: int
) -> None:
    capped = cells_of(observed, limit=limit).by_kind.get(series.REQUEST, {})
    exact = cells_of(observed).by_kind.get(series.REQUEST, {})

    assert len(capped) <= limit + 1
    assert figures(total(capped)) == figures(total(exact))


@given(observations, st.integers(1, 3))
def test_folding_keeps_the_largest_series_and_the_total(
    observed: list[tuple[str, int, bool, bool]], limit: int
) -> None:
    exact = cells_of(observed)
    folded = folded_to(exact, limit)

    of_kind = folded.by_kind.get(series.REQUEST, {})
    assert len(of_kind) <= limit
    assert figures(total(of_kind)) == figures(
        total(exact.by_kind.get(series.REQUEST, {}))
    )
    counts = sorted(
        (cell.count for cell in exact.by_kind.get(series.REQUEST, {}).values()),
        reverse=True,
    )
    kept = [
        cell.count for labels, cell in of_kind.items() if series.OTHER not in labels
    ]
    if len(counts) > limit:
        assert sorted(kept, reverse=True) == counts[: limit - 1]


def test_what_fits_is_not_folded_at_all() -> None:
    cells = cells_of([("/a/", 1, False, False)])

    assert folded_to(cells, 1) is cells


def test_other_is_folded_into_other() -> None:
    cells = cells_of([("/a/", 1, False, False)] * 3 + [("/b/", 1, False, False)])
    cells.cell(series.REQUEST, series.other(series.REQUEST)).observe(7)

    of_kind = folded_to(cells, 2).by_kind[series.REQUEST]

    assert {labels: cell.count for labels, cell in of_kind.items()} == {
        ("/a/", "GET"): 3,
        (series.OTHER, series.OTHER): 2,
    }


def test_a_folded_series_can_be_subtracted_again() -> None:
    cells = cells_of([("/a/", 1, False, False), ("/b/", 2, False, False)], limit=1)

    cells.subtract(cells_of([("/b/", 2, False, False)]))

    assert total(cells.by_kind[series.REQUEST]).count == 1


def test_an_emptied_series_keeps_its_place_while_something_is_folded() -> None:
    cells = cells_of([("/a/", 1, False, False), ("/b/", 2, False, False)], limit=1)

    cells.subtract(cells_of([("/a/", 1, False, False)]))
    cells.merge(cells_of([("/b/", 2, False, False)]))

    other = cells.by_kind[series.REQUEST][series.other(series.REQUEST)]
    assert other.count == 2


def test_places_are_free_again_once_nothing_is_folded_any_more() -> None:
    first = cells_of([("/a/", 1, False, False), ("/b/", 2, False, False)])
    cells = cells_of([], limit=1)
    cells.merge(first)
    cells.subtract(first)

    cells.merge(cells_of([("/c/", 3, False, False)]))

    assert list(cells.by_kind[series.REQUEST]) == [("/c/", "GET")]


def test_counters_are_capped_merged_and_subtracted() -> None:
    cells = Cells(1)
    cells.count(series.CACHE_HITS, ("default",), 2)
    cells.count(series.CACHE_HITS, ("other",), 3)
    twin = Cells(1)
    twin.count(series.CACHE_HITS, ("default",), 1)

    cells.merge(twin)
    cells.subtract(twin)

    assert cells.counters == {series.CACHE_HITS: {("default",): 2, (series.OTHER,): 3}}


def test_cells_are_empty_until_something_is_counted() -> None:
    cells = Cells(1)
    assert cells.is_empty()

    cells.count(series.CACHE_HITS, ("default",), 1)

    assert not cells.is_empty()


def test_only_the_kinds_that_exceed_the_limit_are_folded() -> None:
    cells = cells_of([("/a/", 1, False, False), ("/b/", 1, False, False)])
    cells.cell(series.USER, ("7",)).observe(5)

    folded = folded_to(cells, 1)

    assert list(folded.by_kind[series.USER]) == [("7",)]
    assert list(folded.by_kind[series.REQUEST]) == [series.other(series.REQUEST)]
