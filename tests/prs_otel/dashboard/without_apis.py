"""The page alone."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("monitoring/", include("prs_otel.dashboard.urls"))]
