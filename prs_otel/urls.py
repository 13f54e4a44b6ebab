"""What `path("api/monitoring/", include("prs_otel.urls"))` mounts."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, re_path

from prs_otel.monitoring.answers import not_found, with_json_errors
from prs_otel.monitoring.api import api
from prs_otel.monitoring.docs import docs_asset
from prs_otel.monitoring.permissions import staff_only


def _api_patterns() -> tuple[list[URLPattern | URLResolver], str, str]:
    patterns, app_name, namespace = api.urls
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            pattern.callback = with_json_errors(pattern.callback)
    return patterns, app_name, namespace


urlpatterns = [
    path("", _api_patterns()),
    path("docs/<name>", staff_only(docs_asset)),
    # With its slash only: a path that merely lacks one is left to APPEND_SLASH.
    re_path(r"^.*/$", not_found),
]
