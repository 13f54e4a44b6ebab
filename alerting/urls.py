"""What `path("api/alerting/", include("alerting.urls"))` mounts."""

from __future__ import annotations

from alerting.api import build_api
from alerting.wiring import serving

urlpatterns = serving.mounted(build_api(serving.site()))
