from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from prs_otel.rollup import labelled


@given(
    st.text(), st.lists(st.text(), min_size=1).map(tuple), st.floats(allow_nan=False)
)
def test_a_figure_is_found_by_its_name_with_its_labels(
    name: str, labels: tuple[str, ...], value: float
) -> None:
    figures = {labelled.key(name, *labels): value, name: 1.0}

    assert labelled.parts(figures, name) == {labels: value}


def test_a_name_that_begins_another_is_not_it() -> None:
    figures = {labelled.key("prs.cache.hits.rate", "default"): 1.0}

    assert labelled.parts(figures, "prs.cache.hits") == {}
