"""The page, both APIs and a way to sign in, as a project mounts them."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("monitoring/", include("prs_otel.dashboard.urls")),
    path("api/monitoring/", include("prs_otel.urls")),
    path("api/alerting/", include("alerting.urls")),
]
