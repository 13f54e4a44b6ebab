"""Views that are measured by hand, beside what is measured by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.decorators import method_decorator
from django.views import View

from library.models import Author
from prs_otel import (
    expected_queries,
    monitor_api_performance,
    monitor_query_performance,
    performance_monitor,
)


@monitor_query_performance(name="library.work")
def work() -> None:
    """Do what no database sees."""


@monitor_query_performance
def authors() -> Iterator[Author]:
    """Run one query."""
    yield from Author.objects.order_by("pk")[:3]


@monitor_api_performance
def records(request: HttpRequest) -> HttpResponse:
    """Record a query and a request of elsewhere, and do some work."""
    work()
    performance_monitor.record_query_performance(
        query="SELECT * FROM elsewhere WHERE card = '4111222233334444'",
        execution_time=0.25,
    )
    performance_monitor.record_api_performance(
        endpoint="/elsewhere/", method="POST", response_time=1.5, status_code=503
    )
    return HttpResponse(", ".join(author.name for author in authors()))


def streams(request: HttpRequest) -> StreamingHttpResponse:
    """Query while the response is sent."""
    return StreamingHttpResponse(f"{author.name}\n" for author in authors())


@expected_queries
def expects(request: HttpRequest) -> HttpResponse:
    """Repeat a query, as is meant to be."""
    return HttpResponse(str([Author.objects.filter(pk=pk).first() for pk in range(9)]))


@method_decorator(monitor_api_performance, name="dispatch")
class Awaits(View):
    """A class whose methods are coroutines."""

    async def get(self, request: HttpRequest) -> HttpResponse:
        """Run one query three times at once."""
        found = await asyncio.gather(
            *(Author.objects.order_by("pk").afirst() for _ in range(3))
        )
        return HttpResponse(str(found))
