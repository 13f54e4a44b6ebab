"""What others and the evaluator have written down, to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from alerting.admin.access import BaseAdmin, ReadOnly
from alerting.models import Delivery, ExternalAlert, RuleChange
from alerting.times import to_datetime

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["DeliveryAdmin", "ExternalAlertAdmin", "RuleChangeAdmin"]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, BaseAdmin):
    """What was told to whom, and what kept it from being told."""

    list_display = (
        "created_at",
        "alert",
        "channel",
        "kind",
        "severity",
        "state",
        "reason",
        "attempts",
        "last_error",
    )
    list_filter = ("state", "channel", "kind")
    list_select_related = ("alert",)
    search_fields = ("alert__name", "last_error")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    exclude = ("claimed_by", "claimed_until", "key", "next_at")
    readonly_fields = ("due_at",)

    @admin.display(description="due at")
    def due_at(self, delivery: Delivery) -> datetime | None:
        """Return when it is tried next; nothing once that is settled."""
        is_settled = delivery.settled_at is not None or not delivery.next_at
        return None if is_settled else to_datetime(delivery.next_at)


@admin.register(ExternalAlert)
class ExternalAlertAdmin(ReadOnly, BaseAdmin):
    """What another system last said of an alert of its own."""

    list_display = (
        "name",
        "source",
        "severity",
        "is_firing",
        "received_at",
        "expires",
        "message",
    )
    list_filter = ("is_firing", "severity", "source")
    search_fields = ("name", "message")
    date_hierarchy = "received_at"
    ordering = ("-received_at", "id")
    exclude = ("starts_at", "ends_at", "expires_at")
    readonly_fields = ("starts", "ends", "expires")

    @admin.display(description="starts at", ordering="starts_at")
    def starts(self, alert: ExternalAlert) -> datetime | None:
        """Return since when it fires, as its source says."""
        return _moment(alert.starts_at)

    @admin.display(description="ends at", ordering="ends_at")
    def ends(self, alert: ExternalAlert) -> datetime | None:
        """Return when it is over, as its source says."""
        return _moment(alert.ends_at)

    @admin.display(description="expires at", ordering="expires_at")
    def expires(self, alert: ExternalAlert) -> datetime | None:
        """Return when it is over unless its source says more."""
        return _moment(alert.expires_at)


@admin.register(RuleChange)
class RuleChangeAdmin(ReadOnly, BaseAdmin):
    """Who changed which stored rule, and how."""

    list_display = ("at", "name", "user", "old", "new")
    list_filter = ("name",)
    search_fields = ("name", "user")
    date_hierarchy = "at"
    ordering = ("-id",)


def _moment(at: float | None) -> datetime | None:
    return None if at is None else to_datetime(at)
