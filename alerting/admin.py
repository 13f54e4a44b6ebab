"""Alerts and what became of them, to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib import admin
from django.contrib.admin import ModelAdmin

from alerting.models import Alert, AlertTransition, Delivery

if TYPE_CHECKING:
    from django.http import HttpRequest

    _Inline = admin.TabularInline[AlertTransition | Delivery, Alert]
    _Admin = ModelAdmin[Alert]
else:
    _Inline, _Admin = admin.TabularInline, ModelAdmin

__all__ = ["AlertAdmin"]


class _ReadOnly:
    """History is written by the evaluator alone."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class _Transitions(_ReadOnly, _Inline):
    model = AlertTransition
    fields = ("at", "kind", "severity")
    extra = 0


class _Deliveries(_ReadOnly, _Inline):
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
class AlertAdmin(_ReadOnly, _Admin):
    """One alert with its transitions and deliveries."""

    list_display = ("name", "severity", "state", "fired_at", "resolved_at", "message")
    list_filter = ("severity", "state", "name")
    search_fields = ("name", "message")
    date_hierarchy = "fired_at"
    inlines: ClassVar = [_Transitions, _Deliveries]
