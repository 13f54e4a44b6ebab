"""What `path("monitoring/", include("prs_otel.dashboard.urls"))` mounts."""

from __future__ import annotations

from django.urls import path

from prs_otel.dashboard import assets, views
from prs_otel.monitoring.mounting import without_transaction

app_name = "prs_otel_dashboard"

urlpatterns = [
    path("", without_transaction(views.page), name="page"),
    path(
        "assets/<slug:digest>/<str:name>",
        without_transaction(assets.serve),
        name="asset",
    ),
]
