"""What every page has in common: whose rows it shows, and who may touch them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin import ModelAdmin

from alerting.history import stored

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest

    BaseAdmin = ModelAdmin[Any]
    BaseInline = admin.TabularInline[Any, Any]
else:
    BaseAdmin, BaseInline = ModelAdmin, admin.TabularInline

__all__ = [
    "BaseAdmin",
    "BaseInline",
    "ReadOnly",
    "StoredRows",
    "is_permitted",
    "user_of",
]


def user_of(request: HttpRequest) -> str:
    """Return who asks, as the audit writes it down."""
    return str(request.user.get_username())[:150]


def is_permitted(request: HttpRequest, permission: str) -> bool:
    """Tell whether who asks has one of our permissions, such as `add_storedrule`."""
    return bool(request.user.has_perm(f"prs_alerting.{permission}"))


class StoredRows:
    """Show the rows where they are written: a replica may lag behind."""

    model: type[Model]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return all rows in the order of the page."""
        rows = stored(self.model)
        ordering = self.get_ordering(request)
        return rows.order_by(*ordering) if ordering else rows

    if TYPE_CHECKING:

        def get_ordering(self, request: HttpRequest) -> Any: ...  # noqa: ANN401, D102


class ReadOnly(StoredRows):
    """History is written by the evaluator alone."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Let nobody add to it."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Let nobody change it."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Let nobody delete from it: it is forgotten when it is old."""
        return False
