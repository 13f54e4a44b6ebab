"""`metrics/`: what Prometheus scrapes, where that is switched on."""

from __future__ import annotations

import time
from typing import Any, Final

from django.http import HttpResponse, JsonResponse
from django.utils.cache import patch_cache_control, patch_vary_headers
from ninja import Router
from ninja.errors import HttpError

from prs_otel import conf
from prs_otel.monitoring.endpoints.reading import FAILURES, opened_view
from prs_otel.monitoring.permissions import AuthenticatedRequest, staff_auth
from prs_otel.monitoring.schemas import Error
from prs_otel.scrape.snapshot import taken

SWITCHED_OFF: Final = (
    "There is no scrape endpoint: set MONITORING_SETTINGS['SCRAPE_ENDPOINT'] to True and"
    " restart the server."
)
NOT_INSTALLED: Final = (
    "The scrape endpoint needs prometheus-client: pip install 'prs-otel[prometheus]'."
)
NOT_COUNTED: Final = "What was measured before the scrape endpoint was switched on is still being added up."
RETRY_AFTER: Final = 10
"""Seconds between two looks of the leader, which adds it up."""

_TEXT: Final[dict[str, Any]] = {"schema": {"type": "string"}}
_DOCUMENTED: Final[dict[str, Any]] = {
    "responses": {
        200: {
            "description": "OK",
            "content": {"text/plain": _TEXT, "application/openmetrics-text": _TEXT},
        }
    }
}

router = Router(tags=["scrape"])


@router.get(
    "metrics/",
    auth=staff_auth(),
    response={404: Error, **FAILURES},
    openapi_extra=_DOCUMENTED,
)
def metrics(request: AuthenticatedRequest) -> HttpResponse:
    """Return counters over all workers since the store began, for Prometheus; for staff."""
    if not conf.current().scrape_endpoint:
        raise HttpError(404, SWITCHED_OFF)
    try:
        from prs_otel.scrape.exposition import written
    except ImportError as error:
        raise HttpError(503, NOT_INSTALLED) from error
    view = opened_view()
    snapshot = taken(view, limit=conf.current().series_limit, now=time.time())
    if snapshot is None:
        return _later()
    text, content_type = written(snapshot, accept=request.headers.get("Accept", ""))
    response = HttpResponse(text, content_type=content_type)
    patch_cache_control(response, private=True, no_store=True)
    patch_vary_headers(response, ("Accept", "Authorization", "Cookie"))
    return response


def _later() -> HttpResponse:
    headers = {"Retry-After": str(RETRY_AFTER)}
    return JsonResponse({"detail": NOT_COUNTED}, status=503, headers=headers)
