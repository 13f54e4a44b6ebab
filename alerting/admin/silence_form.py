"""The form of a silence: the API's validation, each mistake beside its field."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django import forms
from pydantic import ValidationError

from alerting import stored_silences
from alerting.admin.fields import StructuredField
from alerting.models import StoredSilence
from alerting.notifications.silence import Silence
from alerting.times import from_datetime, utc

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    _Form = forms.ModelForm[StoredSilence]
else:
    _Form = forms.ModelForm

__all__ = ["SilenceForm"]

MATCHERS: Final = (
    '{"alertname": "high_cpu_usage"}, or a list such as '
    '[{"name": "http.route", "operator": "~", "value": "/deals/*"}]'
)
WEEKLY: Final = (
    '{"weekdays": [5, 6], "start": "22:00", "end": "06:00", '
    '"timezone": "Europe/Berlin"}, where Monday is 0'
)
_INSTEAD: Final = {
    "matchers": MATCHERS,
    "weekly": WEEKLY,
    "comment": "why nobody needs to be told, in 1 to 500 characters",
}


class SilenceForm(_Form):
    """Who is not to be told of what, until when, and why; `silence` once it is valid."""

    matchers = StructuredField(
        example=MATCHERS,
        rows=6,
        help_text=f"All of them must match: {MATCHERS}. Operators are =, !=, ~ and !~ "
        "(* and ? stand for any text and any character).",
    )
    weekly = StructuredField(
        example=WEEKLY,
        rows=6,
        required=False,
        help_text=f"Only in these hours of the week; may stay empty. Such as {WEEKLY}.",
    )
    silence: Silence

    class Meta:  # noqa: D106 - Django's way
        model = StoredSilence
        fields = ("starts_at", "ends_at", "comment")

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - Django's
        super().__init__(*args, **options)
        if isinstance(written := self.instance.definition, dict):
            self.initial["matchers"] = written.get("matchers")
            self.initial["weekly"] = written.get("weekly")

    def clean(self) -> dict[str, Any]:
        """Hold it against what a silence can be."""
        given = {
            name: _moment(value) for name, value in self.cleaned_data.items() if value
        }
        if self.errors:
            return self.cleaned_data
        try:
            self.silence = Silence.model_validate(given)
        except ValidationError as error:
            for each in error.errors(include_url=False):
                self.add_error(*_mistake(each))
            return self.cleaned_data
        now = time.time()
        if self.silence.ends_at.timestamp() <= now:
            self.add_error("ends_at", "ends_at is over already; write a time to come")
        is_new = not self.instance.author
        if is_new and stored_silences.is_full(now=now):
            self.add_error(None, str(stored_silences.TooManyError()))
        return self.cleaned_data


def _moment(value: object) -> object:
    return utc(from_datetime(value)) if isinstance(value, datetime) else value


def _mistake(detail: ErrorDetails) -> tuple[str | None, str]:
    where = ".".join(map(str, detail["loc"]))
    why = detail["msg"].removeprefix("Value error, ")
    field = str(detail["loc"][0]) if detail["loc"] else ""
    if field not in _INSTEAD:
        return "ends_at", why
    shown = repr(detail["input"])[:80]
    return field, f"{where} cannot be {shown} ({why}); write {_INSTEAD[field]}"
