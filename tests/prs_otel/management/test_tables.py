from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from prs_otel.management.report import Line, json_text, section
from prs_otel.management.tables import Column, pairs, shortened, table

QUERY = Column("query", is_flexible=True)
COUNT = Column("count", is_number=True)


def test_numbers_are_aligned_right_and_words_left() -> None:
    lines = table([QUERY, COUNT], [["SELECT a", "7"], ["UPDATE", "1,000"]], width=80)

    assert lines == [
        "query     count",
        "SELECT a      7",
        "UPDATE    1,000",
    ]


def test_a_flexible_column_gives_way_to_a_narrow_screen() -> None:
    lines = table([QUERY, COUNT], [["SELECT a, b, c FROM d", "7"]], width=20)

    assert lines == ["query          count", "SELECT a, b,…      7"]


def test_a_table_without_rows_is_its_titles() -> None:
    assert table([QUERY, COUNT], [], width=80) == ["query  count"]


def test_a_line_break_in_a_cell_does_not_break_the_table() -> None:
    lines = table([QUERY, COUNT], [["SELECT a\n  FROM b", "7"]], width=80)

    assert len(lines) == 2
    assert lines[1].startswith("SELECT a FROM b")


def test_pairs_have_their_values_aligned() -> None:
    assert pairs([("url", "memory://"), ("size", "1 B")]) == [
        "url   memory://",
        "size  1 B",
    ]


@given(st.text(min_size=1), st.integers(min_value=1, max_value=40))
def test_shortened_text_is_one_line_no_wider_than_asked(text: str, width: int) -> None:
    line = shortened(text, width)

    assert len(line) <= width
    assert len(line.splitlines()) <= 1


@given(
    st.lists(st.tuples(st.text(max_size=60), st.integers(0, 10**6)), max_size=5),
    st.integers(min_value=40, max_value=120),
)
def test_a_table_with_a_flexible_column_fits_the_screen(
    rows: list[tuple[str, int]], width: int
) -> None:
    cells = [[text, str(number)] for text, number in rows]

    assert all(len(line) <= width for line in table([QUERY, COUNT], cells, width=width))


def test_a_section_has_a_heading_and_air_above_it() -> None:
    assert section("Queries", ["one"]) == [
        Line(),
        Line("Queries", is_heading=True),
        Line("one"),
    ]
    assert not Line("one").is_heading


def test_a_document_is_readable_in_any_language() -> None:
    assert json_text({"город": "Köln"}) == '{\n  "город": "Köln"\n}'
