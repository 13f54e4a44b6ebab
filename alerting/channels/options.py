"""What may be written about a channel in the settings, and what is said when it is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from alerting.channels.address import Address

__all__ = [
    "HttpAddress",
    "HttpAddresses",
    "OptionError",
    "Options",
    "Seconds",
    "Write",
    "read_options",
    "tupled",
]

_SHOWN: Final = 40  # characters of a wrong value
# Of these no message repeats the value: it may be, or carry, a secret.
_SECRET: Final = ("url", "secret", "password", "token", "key")

Model = TypeVar("Model", bound="Options")


@dataclass(frozen=True, slots=True)
class Write:
    """Say what to write into a key; put into `Annotated` beside its type."""

    text: str


class OptionError(ValueError):
    """A wrong option of a channel: which, what it is, and what to write instead."""


class Options(BaseModel):
    """The options of one kind of channel; each attribute has a `Write`."""

    model_config = ConfigDict(
        arbitrary_types_allowed=True,
        extra="forbid",
        frozen=True,
        strict=True,
    )


def tupled(value: object) -> tuple[object, ...]:
    """Return one thing, or a list of them, as a tuple."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def read_options(model: type[Model], given: Mapping[str, Any]) -> Model:
    """Return the options that `given` says; raise `OptionError` for the first mistake."""
    known = ", ".join(map(repr, ("name", "type", *model.model_fields)))
    for key in given:
        if key not in model.model_fields:
            raise OptionError(f"{key!r} is no option of it; write {known}")
    try:
        return model(**given)
    except ValidationError as error:
        # Its own text repeats the values.
        key = str(error.errors(include_input=False)[0]["loc"][0])
    field = model.model_fields[key]
    write = next(each.text for each in field.metadata if isinstance(each, Write))
    if key not in given:
        raise OptionError(f"{key!r} is missing; write {write}")
    raise OptionError(f"{key!r} cannot be {_shown(key, given[key])}; write {write}")


def _shown(key: str, value: object) -> str:
    if any(word in key for word in _SECRET):
        return f"what it is ({type(value).__name__})"
    shown = repr(value)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"


def _address(value: object) -> object:
    return Address.parse(value) if isinstance(value, str) else value


def _some(value: tuple[Address, ...]) -> tuple[Address, ...]:
    if len({each.origin for each in value}) != len(value):
        raise ValueError("one host twice")
    return value


HttpAddress = Annotated[
    Address, BeforeValidator(_address), Write("an address such as 'https://host/path'")
]
HttpAddresses = Annotated[
    tuple[Annotated[Address, BeforeValidator(_address)], ...],
    BeforeValidator(tupled),
    Field(min_length=1, max_length=10),
    AfterValidator(_some),
    Write("an address such as 'http://host:9093', or a list of them on several hosts"),
]
Seconds = Annotated[
    float, Field(gt=0, le=10), Write("a number of seconds above 0 and up to 10")
]
