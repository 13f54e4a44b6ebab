"""Follow a streaming response to its end, which comes after the end of its span."""

from __future__ import annotations

import weakref
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
)
from time import time_ns
from typing import TYPE_CHECKING, Any

from django.http import FileResponse, StreamingHttpResponse

from prs_otel import guard, keeping
from prs_otel.observation import Observation, RequestContext, finish, times

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase


class Stream:
    """Observe one streamed request, once, when its response is closed.

    `conclude` looks back on the request and tells beyond how many nanoseconds one is
    slow. Until then its queries still belong to it.
    """

    __slots__ = ("_conclude", "_context", "_is_open", "_record")

    def __init__(
        self,
        context: RequestContext,
        *,
        conclude: Callable[[RequestContext], int],
        record: Callable[[Observation], object],
    ) -> None:
        self._context = context
        self._conclude = conclude
        self._record = record
        self._is_open = True

    def end(self) -> None:
        """Observe the request, unless that has been done."""
        if self._is_open:
            self._is_open = False
            with guard.guarded("requests.stream"):
                self._observe()

    def _observe(self) -> None:
        slow = self._conclude(self._context)
        finish(self._context)
        pending, self._context.pending = self._context.pending, None
        if pending is not None:
            duration, at = times(pending.at - pending.duration, time_ns())
            whole = pending._replace(duration=duration, at=at, is_slow=duration > slow)
            span = self._context.span_context
            is_sampled = span is None or span.trace_flags.sampled
            self._record(whole if is_sampled else keeping.judged(whole))


def follow(response: HttpResponseBase, stream: Stream, *, is_async: bool) -> None:
    """End `stream` when `response` is closed, or can no longer be.

    A WSGI server closes every response. Under ASGI, Django forgets one whose content
    raised or whose client left at the wrong moment.
    """
    # Django's handlers add to this list too. Replacing `close` by a function that
    # calls it would make a cycle, and the response would be forgotten late.
    response._resource_closers.append(stream.end)  # type: ignore[attr-defined] # noqa: SLF001
    weakref.finalize(response, stream.end).atexit = False
    if (
        is_async
        and isinstance(response, StreamingHttpResponse)
        and not isinstance(
            response, FileResponse
        )  # the server may send the file itself
    ):
        content: Any = response.streaming_content
        watch = _watched_async if response.is_async else _watched
        response.streaming_content = watch(content, stream)


def _watched(content: Iterable[Any], stream: Stream) -> Iterator[Any]:
    try:
        yield from content
    except Exception:
        stream.end()
        raise


async def _watched_async(
    content: AsyncIterable[Any], stream: Stream
) -> AsyncIterator[Any]:
    try:
        async for part in content:
            yield part
    except Exception:
        stream.end()
        raise
