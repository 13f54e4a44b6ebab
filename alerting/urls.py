"""What `path("api/alerting/", include("alerting.urls"))` mounts."""

from __future__ import annotations

from alerting import wiring
from alerting.api import build_api

urlpatterns = wiring.mounted(build_api(wiring.site()))
