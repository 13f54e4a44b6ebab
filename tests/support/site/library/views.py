"""Views without a query, one for each thing that can happen to a request."""

from __future__ import annotations

import logging
import os
import time
import urllib.request
from collections.abc import Iterator

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse


def plain(request: HttpRequest) -> HttpResponse:
    """Answer at once."""
    return HttpResponse("plain")


def item(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer under a route that has a converter."""
    return HttpResponse(f"item {pk}")


def sleeps(request: HttpRequest) -> HttpResponse:
    """Answer after `?seconds=`."""
    time.sleep(seconds(request))
    return HttpResponse("slept")


def fails(request: HttpRequest) -> HttpResponse:
    """Raise what nobody handles."""
    message = "the view's own mistake"
    raise RuntimeError(message)


def missing(request: HttpRequest) -> HttpResponse:
    """Raise `Http404`, which is no error of the server."""
    message = "nothing here"
    raise Http404(message)


def answers(request: HttpRequest, status: int) -> HttpResponse:
    """Return the status the client asks for."""
    return HttpResponse(f"status {status}", status=status)


def streams(request: HttpRequest) -> StreamingHttpResponse:
    """Stream three parts, `?seconds=` apart."""

    def parts() -> Iterator[str]:
        for number in range(3):
            time.sleep(seconds(request))
            yield f"part {number}\n"

    return StreamingHttpResponse(parts())


def stream_fails(request: HttpRequest) -> StreamingHttpResponse:
    """Break off in the middle of a stream."""

    def parts() -> Iterator[str]:
        yield "part 0\n"
        message = "the stream's own mistake"
        raise RuntimeError(message)

    return StreamingHttpResponse(parts())


def cached(request: HttpRequest) -> HttpResponse:
    """Look a key up; `?miss=1` asks for one that is never there."""
    if request.GET.get("miss"):
        return HttpResponse(str(cache.get("never")))
    cache.set("always", "here")
    return HttpResponse(str(cache.get("always")))


def seconds(request: HttpRequest, default: float = 0.0) -> float:
    """Return the request's `?seconds=`."""
    return float(request.GET.get("seconds", default))


def others(request: HttpRequest) -> HttpResponse:
    """Ask another service and Redis, as the environment names them, and note it."""
    import redis

    with urllib.request.urlopen(os.environ["SITE_OTHER_SERVICE"]) as answer:
        answer.read()
    redis.Redis.from_url(os.environ["SITE_REDIS"]).get("a key")
    logging.getLogger("library").warning("others were asked")
    return HttpResponse("asked")
