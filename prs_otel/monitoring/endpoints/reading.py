"""What all reading endpoints share: the view, a steady moment, and how they may fail."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from ninja.errors import HttpError

from prs_otel import conf, pipeline
from prs_otel.monitoring.answers import steady_answer
from prs_otel.monitoring.schemas import Error, InvalidRequest
from prs_otel.monitoring.scope import EVERYTHING, Scope
from prs_otel.rollup.moment import moment

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from pydantic import BaseModel

    from prs_otel.rollup.view import MetricsView

FAILURES: Final[dict[int, Any]] = {401: Error, 403: Error, 503: Error}
REFUSALS: Final[dict[int, Any]] = {**FAILURES, 422: InvalidRequest}


def opened_view() -> MetricsView:
    """Return the merged view; raises `HttpError` 503 where monitoring is switched off."""
    if not pipeline.is_enabled():
        raise HttpError(503, "Monitoring is switched off.")
    return pipeline.view()


def steady(
    request: HttpRequest,
    asked: BaseModel,
    build: Callable[[MetricsView, float], BaseModel],
    scope: Scope = EVERYTHING,
) -> HttpResponse:
    """Answer for the latest moment, which does not change before something is stored."""
    view = opened_view()
    at = moment(view.store, now=time.time())
    state = f"{at}:{asked.model_dump_json()}:{scope}"
    return steady_answer(request, state, lambda: build(view, at.end))


def steady_of_processes(
    request: HttpRequest, build: Callable[[MetricsView, float], BaseModel]
) -> HttpResponse:
    """Answer so with what processes say of themselves, which they may do with nothing to store."""
    view = opened_view()
    at = moment(view.store, now=time.time())
    said = [(each.worker, each.seen_at) for each in view.processes(now=at.end)]
    state = f"{at}:{said}:{conf.current().track_cache}"
    return steady_answer(request, state, lambda: build(view, at.end))
