"""Write a line of names and values that any log reader takes apart again."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final, TypeAlias

Value: TypeAlias = str | int | float | bool

# What a reader could not tell from the end of the value.
_AMBIGUOUS: Final = re.compile(r'[\s"=\\]')
_QUOTED: Final = frozenset('"\\')


def logfmt(fields: Mapping[str, Value]) -> str:
    """Return `name=value` pairs on one line, whatever the values hold.

    A value that is not plain is a JSON string in quotes; every character that a terminal or a
    log reader would act upon is escaped in it. Linear in the input.
    """
    return " ".join(f"{name}={_written(value)}" for name, value in fields.items())


def _written(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    text = str(value)
    if text and text.isprintable() and not _AMBIGUOUS.search(text):
        return text
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    if character.isprintable() and character not in _QUOTED:
        return character
    return json.dumps(character)[1:-1]
