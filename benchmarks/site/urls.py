"""The three measured paths, and as many more of one query each as ``SITE_ENDPOINTS`` says."""

from __future__ import annotations

import os

from django.urls import path

from benchmarks.site import views

urlpatterns = [
    path("plain/", views.plain),
    path("deals/", views.deals),
    path("dashboard/", views.dashboard),
]
urlpatterns += [
    path(f"endpoint/{number}/", views.endpoint(number))
    for number in range(int(os.environ.get("SITE_ENDPOINTS", "0")))
]
