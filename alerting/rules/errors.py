"""What is wrong with a rule, in words for the person who wrote it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

__all__ = ["RuleError", "problems"]

VALUE_LIMIT: Final = 80  # characters of a wrong value that a message repeats


class RuleError(ValueError):
    """A rule that cannot be: `problems` has one sentence for each mistake."""

    def __init__(self, name: object, problems: tuple[str, ...]) -> None:
        self.problems = problems
        who = f"rule {name!r}" if isinstance(name, str) else "a rule without a name"
        super().__init__(f"{who}: {'; '.join(problems)}")


def problems(model: type[BaseModel], error: ValidationError) -> tuple[str, ...]:
    """Return one sentence for each field at fault."""
    return tuple(_sentences(model, error))


def _sentences(model: type[BaseModel], error: ValidationError) -> Iterator[str]:
    fields = {info.alias or name: info for name, info in model.model_fields.items()}
    seen = set()
    for detail in error.errors(include_url=False):
        field = str(detail["loc"][0]) if detail["loc"] else ""
        if field in seen and field:
            continue  # the other branches of a union complain about the same value
        seen.add(field)
        if detail["type"] == "extra_forbidden" and len(detail["loc"]) == 1:
            yield _unknown(field, list(fields))
        elif detail["type"] == "missing":
            yield f"{field} is missing; write {fields[field].description}"
        elif field in fields:
            yield _wrong(field, detail, fields[field].description)
        else:
            yield _reason(detail)


def _wrong(field: str, detail: ErrorDetails, hint: str | None) -> str:
    shown = repr(detail["input"])[:VALUE_LIMIT]
    return f"{field} cannot be {shown} ({_reason(detail)}); write {hint}"


def _unknown(field: str, known: list[str]) -> str:
    near = difflib.get_close_matches(field, known, n=1)
    advice = f"write {near[0]!r}" if near else f"choose from {', '.join(known)}"
    return f"{field!r} is no field of a rule; {advice} or remove it"


def _reason(detail: ErrorDetails) -> str:
    message = detail["msg"].removeprefix("Value error, ")
    return message[:1].lower() + message[1:]
