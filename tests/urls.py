"""Where the packages are mounted in the unit tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.urls import include, path

if TYPE_CHECKING:
    from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("api/monitoring/", include("prs_otel.urls")),
    path("api/alerting/", include("alerting.urls")),
]
