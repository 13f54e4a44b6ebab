"""Form fields for what is stored as JSON."""

from __future__ import annotations

import json
from typing import Any, Final

from django import forms
from django.forms.fields import InvalidJSONInput

__all__ = ["StructuredField"]

_NUL: Final = json.dumps("\0").strip('"')


class StructuredField(forms.JSONField):
    """JSON over several lines; `example` is what to write instead of what is none."""

    widget = forms.Textarea

    def __init__(self, *, example: str, rows: int, **options: Any) -> None:  # noqa: ANN401 - a field's
        super().__init__(
            widget=forms.Textarea(
                attrs={"rows": rows, "cols": 80, "style": "font-family: monospace"}
            ),
            error_messages={"invalid": f"This is no JSON; write {example}"},
            **options,
        )

    def to_python(self, value: Any) -> Any:  # noqa: ANN401 - a field's
        """Return what is written; raises `ValidationError`, whatever it is."""
        try:
            found = super().to_python(value)
            text = json.dumps(found)
        except (RecursionError, ValueError):
            # Nested too deeply, or a number of thousands of digits.
            raise forms.ValidationError(self.error_messages["invalid"]) from None
        if _NUL in text:
            raise forms.ValidationError(
                "\\u0000 cannot be stored by every database; remove it"
            )
        return found

    def bound_data(self, data: Any, initial: Any) -> Any:  # noqa: ANN401 - a field's
        """Return what was written, to be shown again whatever it is."""
        try:
            return super().bound_data(data, initial)
        except (RecursionError, ValueError):
            return InvalidJSONInput(data)

    def prepare_value(self, value: Any) -> Any:  # noqa: ANN401 - a field's
        """Return it as people read and write it."""
        if value is None or isinstance(value, InvalidJSONInput):
            return value
        return json.dumps(value, ensure_ascii=False, indent=2)
