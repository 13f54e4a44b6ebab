"""What an action on alerts asks before it acts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.db import router, transaction
from pydantic import ValidationError

from alerting.models import StoredSilence
from alerting.stored_silences import create, timed

if TYPE_CHECKING:
    from alerting.models import Alert
    from alerting.notifications.silence import Silence

__all__ = ["AcknowledgeForm", "SilenceForm", "silence_alerts"]

TEXT_LIMIT: Final = 500
LONGEST: Final = 366 * 24  # hours


class AcknowledgeForm(forms.Form):
    """What is being done about it."""

    note = forms.CharField(
        required=False,
        max_length=TEXT_LIMIT,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        help_text="What is being done about it; may stay empty.",
    )


class SilenceForm(forms.Form):
    """For how long, and why."""

    hours = forms.CharField(initial="2", max_length=20)
    reason = forms.CharField(
        max_length=TEXT_LIMIT,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        help_text='Why nobody needs to be told, such as "disk is being replaced".',
    )

    def clean_hours(self) -> float:
        """Return a number of hours, at most a year of them."""
        text = self.cleaned_data["hours"]
        try:
            hours = float(text)
        except ValueError:
            hours = 0.0
        if not 0 < hours <= LONGEST:
            raise forms.ValidationError(
                f"hours cannot be {text!r}; write a number such as 2 or 0.5, at most "
                f"{LONGEST} (a year)"
            )
        return hours


def silence_alerts(
    alerts: Sequence[Alert], wanted: Mapping[str, Any], *, author: str, now: float
) -> None:
    """Silence each of these alerts and no other, or none of them.

    Raise `TooManyError`, and `ValueError` for an alert whose labels are no matchers.
    """
    silences = [_of(alert, wanted, now) for alert in alerts]
    with transaction.atomic(using=router.db_for_write(StoredSilence)):
        for silence in {each.matchers: each for each in silences}.values():
            create(silence, author=author, now=now)


def _of(alert: Alert, wanted: Mapping[str, Any], now: float) -> Silence:
    matchers = [{"name": "alertname", "value": alert.name}]
    matchers += [
        {"name": name, "value": value}
        for name, value in alert.labels.items()
        if name != "alertname"
    ]
    hours, reason = wanted["hours"], wanted["reason"]
    try:
        return timed(matchers, hours=hours, comment=reason, now=now)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]["msg"]
        # Fewer matchers would silence others as well.
        raise ValueError(
            f"{alert.name} cannot be silenced by its labels ({first}); add a silence "
            "and write its matchers"
        ) from None
