"""Read one settings dictionary into a pydantic model, one field at a time.

A key that is unknown or wrong costs only itself: it falls back to its default and is
returned as a `Problem`, so that a typing error can never stop the application.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

Kind = Literal["shape", "unknown", "type", "value", "conflict", "import"]
Model = TypeVar("Model", bound=BaseModel)

VALUE_LIMIT: Final = 80  # characters of a wrong value that a message repeats

# What pydantic calls an error about the value itself rather than about its type.
_VALUE_ERRORS: Final = (
    "greater_than",
    "less_than",
    "finite_number",
    "literal_error",
    "multiple_of",
    "string_pattern_mismatch",
    "too_",
    "value_error",
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a settings dictionary, in words for the person who made it."""

    kind: Kind
    key: str
    message: str
    hint: str
    also: tuple[str, ...] = ()
    """Further keys that have a part in it."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Return every key that it is about."""
        return (self.key, *self.also)


@dataclass(frozen=True, slots=True)
class Write:
    """Say what to write into a field; put into `Annotated` beside its type."""

    text: str


def conflict(fields: Iterable[str], message: str) -> PydanticCustomError:
    """Build the error of a model validator whose fields contradict one another."""
    context = {"fields": tuple(fields), "detail": message}
    return PydanticCustomError("conflict", "{detail}", context)


def load(model: type[Model], raw: object, *, name: str) -> tuple[Model, list[Problem]]:
    """Build `model` from the dictionary `raw`, the value of the setting `name`."""
    if not isinstance(raw, Mapping):
        return model(), [_not_a_mapping(name, raw)]
    fields = {key.upper(): key for key in model.model_fields}
    problems = [_unknown(name, key, fields) for key in raw if key not in fields]
    values = {fields[key]: value for key, value in raw.items() if key in fields}
    while True:
        try:
            return model.model_validate(values, by_name=True), problems
        except ValidationError as error:
            # Each round takes the fields at fault away, so the loop ends.
            for detail in error.errors(include_url=False):
                problems += _problems(model, name, detail, values)


def expected(model: type[BaseModel], field: str) -> str:
    """Return what to write into `field`."""
    for item in model.model_fields[field].metadata:
        if isinstance(item, Write):
            return item.text
    return "another value"


def shown(value: object) -> str:
    """Return `value` as a message repeats it: shortened, without a URL's password."""
    text = without_password(repr(value))
    return text if len(text) <= VALUE_LIMIT else f"{text[:VALUE_LIMIT]}…"


def without_password(text: str) -> str:
    """Return `text` with an ellipsis for who logs in, where it is a URL that says so."""
    if "@" in text and "://" in text:
        scheme, _, rest = text.partition("://")
        return f"{scheme}://…@{rest.rpartition('@')[2]}"
    return text


def _problems(
    model: type[BaseModel],
    name: str,
    detail: ErrorDetails,
    values: dict[str, Any],
) -> list[Problem]:
    if detail["type"] == "conflict":
        return [_conflict(name, detail, values)]
    field = str(detail["loc"][0])
    if field not in values:
        return []  # a second complaint about the same field, as unions have
    return [_invalid(model, name, field, detail, values.pop(field))]


def _invalid(
    model: type[BaseModel], name: str, field: str, detail: ErrorDetails, value: object
) -> Problem:
    is_about_value = detail["type"].startswith(_VALUE_ERRORS)
    default = model.model_fields[field].get_default(call_default_factory=True)
    return Problem(
        kind="value" if is_about_value else "type",
        key=field.upper(),
        message=f"{name}[{field.upper()!r}] cannot be {shown(value)}.",
        hint=f"Write {expected(model, field)}. Until then {default!r} is used.",
    )


def _conflict(name: str, detail: ErrorDetails, values: dict[str, Any]) -> Problem:
    fields: tuple[str, ...] = detail["ctx"]["fields"]
    for field in fields:
        values.pop(field, None)
    first, *others = (field.upper() for field in fields)
    keys = " and ".join((first, *others))
    return Problem(
        kind="conflict",
        key=first,
        also=tuple(others),
        message=f"{name}: {detail['msg']}.",
        hint=f"Write the smaller number first: {keys}. Until then the defaults are "
        "used for both.",
    )


def _unknown(name: str, key: object, known: Mapping[str, str]) -> Problem:
    near = difflib.get_close_matches(str(key).upper(), known, n=1)
    advice = f"Write {near[0]!r}" if near else f"Choose from {', '.join(sorted(known))}"
    return Problem(
        kind="unknown",
        key=str(key),
        message=f"{name}[{shown(key)}] is not a setting.",
        hint=f"{advice}, or remove the key.",
    )


def _not_a_mapping(name: str, raw: object) -> Problem:
    return Problem(
        kind="shape",
        key="",
        message=f"{name} cannot be {shown(raw)}.",
        hint=f"Write a dictionary, such as {name} = {{}}. Until then every setting has "
        "its default.",
    )
