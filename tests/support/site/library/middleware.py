"""Tell the client which worker process answered."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, cast

from django.utils.decorators import sync_and_async_middleware

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    Answer = Callable[[HttpRequest], HttpResponseBase]
    AsyncAnswer = Callable[[HttpRequest], Awaitable[HttpResponseBase]]

WORKER_HEADER = "X-Worker"


@sync_and_async_middleware
def name_the_worker(get_response: Answer | AsyncAnswer) -> Answer | AsyncAnswer:
    """Put the process id into a header of every response."""
    if iscoroutinefunction(get_response):
        return _asynchronous(get_response)
    return _synchronous(cast("Answer", get_response))


def _synchronous(get_response: Answer) -> Answer:
    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers[WORKER_HEADER] = str(os.getpid())
        return response

    return answer


def _asynchronous(get_response: AsyncAnswer) -> AsyncAnswer:
    async def answer(request: HttpRequest) -> HttpResponseBase:
        response = await get_response(request)
        response.headers[WORKER_HEADER] = str(os.getpid())
        return response

    return answer
