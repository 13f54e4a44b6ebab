from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import AsyncClient, Client
from django.urls import path
from opentelemetry.trace import SpanKind

from prs_otel import guard
from prs_otel.instrumentation import (
    awaiting,
    blocks,
    call_site,
    database,
    requests,
)
from prs_otel.observation import Thresholds, current_request
from prs_otel.rollup import series
from tests.support.traces import Traces, tracing

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]

OURS = "prs_otel.PerformanceMonitoringMiddleware"


def plain(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("plain")


async def aplain(request: HttpRequest) -> HttpResponse:
    return HttpResponse("plain")


def fails(request: HttpRequest) -> HttpResponse:
    raise ValueError("card 4111222233334444")


def queries_while_it_streams(request: HttpRequest) -> StreamingHttpResponse:
    def users() -> Iterator[str]:
        for pk in range(3):
            yield str(User.objects.filter(pk=pk).exists())

    return StreamingHttpResponse(users())


async def finds(request: HttpRequest) -> HttpResponse:
    # Nothing of this file is on the stack of the thread that looks.
    found = await sync_to_async(call_site.find, thread_sensitive=False)()
    return HttpResponse("" if found is None else found.function)


def streams(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(iter(["one", "two"]))


urlpatterns = [
    path("deals/<int:pk>/", plain),
    path("aplain/", aplain),
    path("fails/", fails),
    path("streams/", streams),
    path("finds/", finds),
    path("queries/", queries_while_it_streams),
]


def tenant_while_inside(get_response: Any) -> Any:
    """Know the tenant only while the request is inside, as thread-locals do."""

    def middleware(request: HttpRequest) -> Any:
        request.tenant = 7  # type: ignore[attr-defined]
        try:
            return get_response(request)
        finally:
            request.tenant = None  # type: ignore[attr-defined]

    return middleware


MIDDLEWARE = (
    *django_settings.MIDDLEWARE,
    f"{__name__}.tenant_while_inside",
    OURS,
)


@pytest.fixture(params=["automatic", "by the middleware"])
def observed(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> Iterator[Traces]:
    """Measure requests in either way; what is counted must not differ."""
    yield from _measured(request.param != "automatic", monkeypatch, settings)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Traces]:
    """Measure with Django's automatic instrumentation switched off."""
    yield from _measured(True, monkeypatch, settings)


def _measured(
    is_disabled: bool,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    middleware: Sequence[str] = MIDDLEWARE,
) -> Iterator[Traces]:
    if is_disabled:
        monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "redis, django")
    settings.MIDDLEWARE = [*middleware]
    found = tracing()
    found.set_globally(monkeypatch)
    # Read once in a process, by whoever instruments first.
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")
    requests.instrument(
        record=found.observed.append,
        thresholds=lambda: found.processor.thresholds,
        count=lambda *_: None,
        tenant=lambda request: getattr(request, "tenant", None),
    )
    yield found
    requests.uninstrument()


def test_a_request_is_counted_once(observed: Traces) -> None:
    Client().get("/deals/7/?card=4111222233334444")

    (request,) = observed.observed
    (span,) = observed.exported
    assert (request.kind, request.labels) == (
        series.REQUEST,
        ("/deals/<int:pk>/", "GET"),
    )
    assert (span.name, span.kind) == ("GET /deals/<int:pk>/", SpanKind.SERVER)
    assert "4111222233334444" not in span.to_json()
    assert current_request.get() is None


def test_a_request_on_an_event_loop_is_counted_once(observed: Traces) -> None:
    async def ask() -> None:
        await AsyncClient().get("/aplain/")

    asyncio.run(ask())

    (request,) = observed.observed
    assert request.labels == ("/aplain/", "GET")


def test_user_and_organisation_are_those_seen_from_the_middleware(
    observed: Traces,
) -> None:
    user = User.objects.create_user("ada")
    client = Client()
    client.force_login(user)
    # Somebody must have asked who it is: measuring never does.
    client.get("/deals/7/")

    (request,) = observed.observed
    assert request.request is not None
    assert request.request.organization_id == "7"


def test_a_failure_is_counted_with_its_status(observed: Traces) -> None:
    Client(raise_request_exception=False).get("/fails/")

    (request,) = observed.observed
    assert request.is_error
    assert request.request is not None
    assert request.request.status_code == 500
    assert request.code is not None


def test_an_url_that_leads_nowhere_is_unresolved(observed: Traces) -> None:
    Client().get("/nowhere/4111222233334444/")

    (request,) = observed.observed
    assert request.labels == (series.UNRESOLVED, "GET")
    assert not request.is_error


def test_a_streamed_request_is_counted_when_it_is_closed(alone: Traces) -> None:
    response = Client().get("/streams/")
    assert b"".join(response) == b"onetwo"
    response.close()

    assert [each.labels[0] for each in alone.observed] == ["/streams/"]


def test_what_a_stream_queries_belongs_to_its_request(observed: Traces) -> None:
    database.install(thresholds=Thresholds)
    try:
        response = Client().get("/queries/")
        assert b"".join(response) == b"False" * 3
        response.close()
    finally:
        database.uninstall()

    (request,) = observed.observed_as(series.REQUEST)
    assert request.request is not None
    assert request.request.query_count == 3
    assert current_request.get() is None


def test_a_failure_of_ours_leaves_the_request_alone(
    alone: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError

    monkeypatch.setattr(guard, "reraise", False)
    monkeypatch.setattr(blocks, "tracer", fail)

    assert Client().get("/deals/7/").content == b"plain"
    assert guard.report() == {"manual.work": 1}
    guard.reset()


@pytest.mark.parametrize("is_disabled", [False, True])
def test_a_request_that_meets_the_middleware_twice_is_one_span(
    monkeypatch: pytest.MonkeyPatch, settings: Any, is_disabled: bool
) -> None:
    measured = _measured(is_disabled, monkeypatch, settings, (OURS, *MIDDLEWARE))
    traces = next(measured)
    Client().get("/deals/7/")

    assert (len(traces.observed), len(traces.exported)) == (1, 1)
    next(measured, None)


@pytest.mark.parametrize("is_disabled", [False, True])
def test_the_task_that_serves_a_request_is_known_among_many(
    monkeypatch: pytest.MonkeyPatch, settings: Any, is_disabled: bool
) -> None:
    monkeypatch.setattr(awaiting, "_TASKS_LIMIT", 0)
    # Where other processes want the processor, who called may be long on his way to wait.
    monkeypatch.setattr(awaiting, "_LOOKS", 5_000)
    measured = _measured(is_disabled, monkeypatch, settings, (OURS,))
    next(measured)

    async def ask() -> bytes:
        return (await AsyncClient().get("/finds/")).content

    assert asyncio.run(ask()) == b"finds"
    next(measured, None)


def test_a_trace_that_the_caller_has_begun_goes_on(alone: Traces) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    Client().get(
        "/deals/7/", headers={"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"}
    )

    assert [f"{each.trace_id:032x}" for each in alone.observed] == [trace_id]


def test_an_excluded_url_is_not_counted_by_the_middleware_either(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    from opentelemetry.util.http import parse_excluded_urls

    from prs_otel.instrumentation.middleware import RequestMiddleware

    (measured,) = [_measured(False, monkeypatch, settings)]
    traces = next(measured)
    monkeypatch.setattr(
        RequestMiddleware, "_excluded_urls", parse_excluded_urls("deals")
    )
    Client().get("/deals/7/")
    assert traces.observed == []
    next(measured, None)


def test_where_nothing_is_measured_the_middleware_only_passes_on(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MIDDLEWARE = [*django_settings.MIDDLEWARE, OURS]
    traces = tracing()
    traces.set_globally(monkeypatch)

    async def ask() -> bytes:
        return (await AsyncClient().get("/aplain/")).content

    assert Client().get("/deals/7/").content == b"plain"
    assert asyncio.run(ask()) == b"plain"
    assert traces.exported == ()
