"""Alerts and what became of them, to look at, acknowledge and silence."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar, Final

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.template.response import TemplateResponse

from alerting.acknowledgement import acknowledge
from alerting.admin.access import (
    BaseAdmin,
    BaseInline,
    ReadOnly,
    is_permitted,
    user_of,
)
from alerting.admin.asked import AcknowledgeForm, SilenceForm, silence_alerts
from alerting.models import Alert, AlertTransition, Delivery
from alerting.stored_silences import TooManyError

if TYPE_CHECKING:
    from django import forms
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse, QueryDict

__all__ = ["AlertAdmin"]

AT_ONCE: Final = 100
"""How many alerts one action takes: each may become a silence of its own."""


class _Transitions(ReadOnly, BaseInline):
    model = AlertTransition
    fields = ("at", "kind", "severity")
    extra = 0


class _Deliveries(ReadOnly, BaseInline):
    model = Delivery
    fields = (
        "channel",
        "kind",
        "state",
        "reason",
        "recipients",
        "attempts",
        "last_error",
    )
    extra = 0


@admin.register(Alert)
class AlertAdmin(ReadOnly, BaseAdmin):
    """One alert with its transitions and deliveries."""

    list_display = (
        "name",
        "severity",
        "state",
        "fired_at",
        "resolved_at",
        "acknowledged_by",
        "message",
    )
    list_filter = ("severity", "state", "name")
    search_fields = ("name", "message")
    date_hierarchy = "fired_at"
    inlines: ClassVar = [_Transitions, _Deliveries]
    actions = ("acknowledge", "silence")

    def has_acknowledge_permission(self, request: HttpRequest) -> bool:
        """Tell whether who asks may acknowledge."""
        return is_permitted(request, "change_alert")

    def has_silence_permission(self, request: HttpRequest) -> bool:
        """Tell whether who asks may silence."""
        return is_permitted(request, "add_storedsilence")

    @admin.action(
        permissions=["acknowledge"], description="Acknowledge the selected alerts"
    )
    def acknowledge(
        self, request: HttpRequest, queryset: QuerySet[Alert]
    ) -> HttpResponse | None:
        """Ask for a note, and write down who knows."""
        alerts = self._open(request, queryset)
        form = AcknowledgeForm(_filled_in(request))
        if not alerts or not form.is_valid():
            return self._ask(request, "acknowledge", alerts, form)
        user, note, now = user_of(request), form.cleaned_data["note"], time.time()
        done = sum(acknowledge(a.pk, user=user, note=note, now=now) for a in alerts)
        self.message_user(request, f"{_counted(done)} acknowledged.", messages.SUCCESS)
        return None

    @admin.action(permissions=["silence"], description="Silence the selected alerts")
    def silence(
        self, request: HttpRequest, queryset: QuerySet[Alert]
    ) -> HttpResponse | None:
        """Ask for how long and why, and let exactly these not be told."""
        alerts = self._open(request, queryset)
        form = SilenceForm(_filled_in(request))
        if not alerts or not form.is_valid():
            return self._ask(request, "silence", alerts, form)
        try:
            silence_alerts(
                alerts, form.cleaned_data, author=user_of(request), now=time.time()
            )
        except (TooManyError, ValueError) as error:
            form.add_error(None, str(error))
            return self._ask(request, "silence", alerts, form)
        done = f"{_counted(len(alerts))} silenced."
        self.message_user(request, done, messages.SUCCESS)
        return None

    def _open(self, request: HttpRequest, queryset: QuerySet[Alert]) -> list[Alert]:
        """Return those that are not over; says why there is none to act on."""
        alerts = list(queryset.filter(resolved_at__isnull=True)[: AT_ONCE + 1])
        if not alerts:
            why = "None of the selected alerts is open."
            self.message_user(request, why, messages.WARNING)
        if len(alerts) > AT_ONCE:
            why = f"More than {AT_ONCE} open alerts are selected; select fewer."
            self.message_user(request, why, messages.ERROR)
            return []
        return alerts

    def _ask(
        self, request: HttpRequest, action: str, alerts: list[Alert], form: forms.Form
    ) -> HttpResponse | None:
        if not alerts:
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": f"{action.capitalize()} {_counted(len(alerts))}",
            "action": action,
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
            "alerts": alerts,
            "form": form,
            "opts": self.opts,
        }
        return TemplateResponse(request, "prs_alerting/admin_action.html", context)


def _filled_in(request: HttpRequest) -> QueryDict | None:
    """Return what was written on the page in between, None before it has been shown."""
    return request.POST if "apply" in request.POST else None


def _counted(count: int) -> str:
    return f"{count} alert" if count == 1 else f"{count} alerts"
