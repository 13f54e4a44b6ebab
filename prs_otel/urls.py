"""What `path("api/monitoring/", include("prs_otel.urls"))` mounts."""

from __future__ import annotations

from prs_otel.monitoring.api import api
from prs_otel.monitoring.mounting import mounted

urlpatterns = mounted(api)
