"""Stored silences: made, changed and ended as over the API."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied

from alerting import stored_silences
from alerting.admin.access import BaseAdmin, StoredRows, is_permitted, user_of
from alerting.admin.silence_form import SilenceForm
from alerting.models import StoredSilence
from alerting.notifications.matchers import shown
from alerting.times import from_datetime, to_datetime

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

__all__ = ["StoredSilenceAdmin"]

USUAL: float = 7_200.0  # seconds


class _When(admin.SimpleListFilter):
    title = "when"
    parameter_name = "when"

    def lookups(
        self, request: HttpRequest, model_admin: object
    ) -> list[tuple[str, str]]:
        return [("now", "in force or to come"), ("over", "over")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[StoredSilence]
    ) -> QuerySet[StoredSilence]:
        now = to_datetime(time.time())
        match self.value():
            case "now":
                return queryset.filter(ends_at__gt=now)
            case "over":
                return queryset.filter(ends_at__lte=now)
        return queryset


@admin.register(StoredSilence)
class StoredSilenceAdmin(StoredRows, BaseAdmin):
    """A time in which certain alerts are not told.

    To change one is to end it and to make another in its place, so that what was in force
    earlier, and by whom, can still be seen.
    """

    form = SilenceForm
    fields = (
        "matchers",
        "starts_at",
        "ends_at",
        "weekly",
        "comment",
        "author",
        "created_at",
    )
    readonly_fields = ("author", "created_at")
    list_display = ("comment", "matched", "starts_at", "ends_at", "is_active", "author")
    list_filter = (_When, "author")
    search_fields = ("comment", "author")
    ordering = ("-ends_at", "id")
    actions = ("end",)

    @admin.display(description="alerts")
    def matched(self, row: StoredSilence) -> str:
        """Return who is meant, as people read it."""
        silence = stored_silences.understood(row)
        return "not understood" if silence is None else shown(silence.matchers)

    @admin.display(description="in force", boolean=True)
    def is_active(self, row: StoredSilence) -> bool:
        """Tell whether it mutes at this moment."""
        silence = stored_silences.understood(row)
        return silence is not None and silence.until(time.time()) is not None

    def matchers(self, row: StoredSilence) -> object:
        """Return who is meant, where it cannot be changed."""
        return row.definition.get("matchers")

    def weekly(self, row: StoredSilence) -> object:
        """Return in which hours, where it cannot be changed."""
        return row.definition.get("weekly") or "-"

    def has_change_permission(
        self, request: HttpRequest, obj: StoredSilence | None = None
    ) -> bool:
        """Tell whether who asks may change it; what is over stays as it was."""
        is_over = obj is not None and from_datetime(obj.ends_at) <= time.time()
        return not is_over and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Let nobody delete one: it is ended, and forgotten when it is old."""
        return False

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Tell whether who asks may end a silence."""
        return is_permitted(request, "delete_storedsilence")

    @admin.action(permissions=["end"], description="End the selected silences")
    def end(self, request: HttpRequest, queryset: QuerySet[StoredSilence]) -> None:
        """End them; what they muted and still fires is told at the next evaluation."""
        now = time.time()
        done = sum(stored_silences.expire(row.pk, now=now) for row in queryset)
        level = messages.SUCCESS if done else messages.WARNING
        self.message_user(request, f"Silences ended: {done}.", level)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin now, and end in two hours."""
        now = float(int(time.time()))
        times: Mapping[str, datetime] = {
            "starts_at": to_datetime(now),
            "ends_at": to_datetime(now + USUAL),
        }
        return {**times, **super().get_changeform_initial_data(request)}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the form, without going on with what has been replaced."""
        context = {**(extra_context or {}), "show_save_and_continue": False}
        return super().changeform_view(request, object_id, form_url, context)

    def save_model(
        self,
        request: HttpRequest,
        obj: StoredSilence,
        form: Any,  # noqa: ANN401 - Django's
        change: bool,
    ) -> None:
        """Make it, in place of the one it changes."""
        if change and not form.has_changed():
            return
        author, now = user_of(request), time.time()
        try:
            if change:
                made = stored_silences.replace(
                    obj.pk, form.silence, author=author, now=now
                )
            else:
                made = stored_silences.create(form.silence, author=author, now=now)
        except (stored_silences.TooManyError, LookupError) as error:
            # It was possible when the form was found right.
            raise PermissionDenied(str(error)) from error
        obj.pk = made.id
