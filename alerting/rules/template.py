"""The texts of code rules: `str.format` fields of plain names, and nothing more.

Attribute and index access would let a text walk from a metric to the rest of the
program; both are refused when the rule is made.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Formatter
from typing import Any, Final

__all__ = ["Template"]

TEXT_LIMIT: Final = 2000
NAME: Final = re.compile(r"[A-Za-z_]\w*")
# A width or precision of a million would be a million characters.
SPECIFICATION: Final = re.compile(r"[^{}\d]*\d{0,3}[^{}\d]*\d{0,3}[^{}\d]*")


class Template:
    """A text with fields such as `{cpu_percent:.1f}`."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        """Refuse, with `ValueError`, what is more than names and formats."""
        if len(text) > TEXT_LIMIT:
            raise ValueError(f"a message has up to {TEXT_LIMIT} characters")
        for _, field, specification, conversion in Formatter().parse(text):
            if field is None:
                continue
            if NAME.fullmatch(field) is None or conversion is not None:
                raise ValueError(
                    f"{{{field}}} is no plain name; write a metric, "
                    "such as {cpu_percent:.1f}"
                )
            if SPECIFICATION.fullmatch(specification or "") is None:
                raise ValueError(f"{{{field}}} has no simple format, such as .1f")
        self.text = text

    def render(self, values: Mapping[str, object]) -> str:
        """Fill in `values`; a name without value shows as such."""
        return _Lenient().vformat(self.text, (), values)[: 2 * TEXT_LIMIT]


class _Lenient(Formatter):
    """Shows what is missing or cannot be formatted instead of failing."""

    def get_value(self, key: int | str, args: object, kwargs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - the base class says so
        return kwargs.get(str(key), _Missing(key))

    def format_field(self, value: Any, format_spec: str) -> str:  # noqa: ANN401 - as above
        if isinstance(value, _Missing):
            return f"{{{value.key}?}}"
        try:
            return str(super().format_field(value, format_spec))
        except (OverflowError, TypeError, ValueError):
            return str(value)


class _Missing:
    __slots__ = ("key",)

    def __init__(self, key: int | str) -> None:
        self.key = key
