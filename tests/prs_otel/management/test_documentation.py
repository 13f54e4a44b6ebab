"""What docs/command-line.md says is what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from prs_otel.management.export.columns import columns, columns_of
from prs_otel.management.export.sections import RECORDS, STEPS
from prs_otel.management.subcommands import SUBCOMMANDS

REPOSITORY = Path(__file__).resolve().parents[3]
PAGE = (REPOSITORY / "docs" / "command-line.md").read_text()


@pytest.mark.parametrize("name", [subcommand.name for subcommand in SUBCOMMANDS])
def test_every_subcommand_is_described(name: str) -> None:
    assert re.search(rf"^\| `{name}\b", PAGE, re.MULTILINE)


@pytest.mark.parametrize("section", RECORDS)
def test_every_column_of_a_section_is_documented(section: str) -> None:
    expected = f"- `{section}`: " + ", ".join(
        f"`{name}`" for name in columns_of(RECORDS[section])
    )
    # The page breaks its lines where it likes.
    assert expected in " ".join(PAGE.split()), f"write into the page:\n{expected}"


def test_the_columns_are_those_of_the_sections_and_the_name_of_the_section() -> None:
    of_sections = {name for each in RECORDS.values() for name in columns_of(each)}

    assert columns()[0] == "record"
    assert set(columns()[1:]) == of_sections
    assert len(columns()) == len(of_sections) + 1


def test_every_step_is_documented() -> None:
    assert ", ".join(f"{step}" for step in STEPS) in PAGE.replace("_", "")
