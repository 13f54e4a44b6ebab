from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from prs_otel import validation
from prs_otel.validation import Write


class Oven(BaseModel):
    model_config = ConfigDict(
        alias_generator=str.upper, strict=True, validate_by_name=True
    )

    heat: Annotated[int, Field(ge=0, le=300), Write("degrees from 0 to 300")] = 180
    racks: list[int] = Field(default_factory=lambda: [1, 2])


def test_a_good_dictionary_has_no_problems() -> None:
    oven, problems = validation.load(Oven, {"HEAT": 200}, name="OVEN")

    assert (oven.heat, oven.racks) == (200, [1, 2])
    assert problems == []


def test_a_wrong_value_leaves_its_default_and_a_problem() -> None:
    oven, (problem,) = validation.load(Oven, {"HEAT": 301}, name="OVEN")

    assert oven.heat == 180
    assert problem.message == "OVEN['HEAT'] cannot be 301."
    assert problem.hint == "Write degrees from 0 to 300. Until then 180 is used."


def test_two_mistakes_in_one_field_are_one_problem() -> None:
    oven, (problem,) = validation.load(Oven, {"RACKS": ["a", "b"]}, name="OVEN")

    assert oven.racks == [1, 2]
    assert problem.kind == "type"


def test_a_field_without_advice_has_a_hint_all_the_same() -> None:
    assert validation.expected(Oven, "racks") == "another value"
