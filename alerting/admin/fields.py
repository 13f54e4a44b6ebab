"""Form fields for what is stored as JSON."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.forms.fields import InvalidJSONInput

__all__ = ["StructuredField"]


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

    def prepare_value(self, value: Any) -> Any:  # noqa: ANN401 - a field's
        """Return it as people read and write it."""
        if value is None or isinstance(value, InvalidJSONInput):
            return value
        return json.dumps(value, ensure_ascii=False, indent=2)
