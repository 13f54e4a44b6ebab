"""Django's admin shows who changed which setting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.admin import ModelAdmin

from prs_otel.models import SettingChange

if TYPE_CHECKING:
    from django.http import HttpRequest

    _Admin = ModelAdmin[SettingChange]
else:
    _Admin = ModelAdmin

__all__ = ["SettingChangeAdmin"]


@admin.register(SettingChange)
class SettingChangeAdmin(_Admin):
    """Who changed a setting, when, from what to what. It is written by the API alone."""

    list_display = ("changed_at", "key", "old", "new", "username", "revision")
    list_filter = ("key",)
    search_fields = ("key", "username")
    date_hierarchy = "changed_at"
    fields = ("changed_at", "key", "old", "new", "username", "user", "revision")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let nobody add to it."""
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: SettingChange | None = None
    ) -> bool:
        """Let nobody change it."""
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: SettingChange | None = None
    ) -> bool:
        """Let nobody delete from it."""
        return False
