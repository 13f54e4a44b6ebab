"""Views that are coroutines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse

from library.models import Author, Book
from library.views import seconds


async def plain(request: HttpRequest) -> HttpResponse:
    """Answer at once."""
    return HttpResponse("plain")


async def one(request: HttpRequest) -> HttpResponse:
    """Run one query."""
    author = await Author.objects.order_by("pk").afirst()
    return HttpResponse(author.name if author else "nobody")


async def n_plus_one(request: HttpRequest) -> HttpResponse:
    """Fetch the author of each book by a query of its own."""
    books = [book async for book in Book.objects.order_by("pk")[:10]]
    names = [(await Author.objects.aget(pk=book.author_id)).name for book in books]
    return HttpResponse(", ".join(names))


async def sleeps(request: HttpRequest) -> HttpResponse:
    """Answer after `?seconds=`; a client that leaves cancels it."""
    await asyncio.sleep(seconds(request))
    return HttpResponse("slept")


async def fails(request: HttpRequest) -> HttpResponse:
    """Raise what nobody handles."""
    message = "the view's own mistake"
    raise RuntimeError(message)


async def missing(request: HttpRequest) -> HttpResponse:
    """Raise `Http404`, which is no error of the server."""
    message = "nothing here"
    raise Http404(message)


async def streams(request: HttpRequest) -> StreamingHttpResponse:
    """Stream three parts, `?seconds=` apart."""

    async def parts() -> AsyncIterator[str]:
        for number in range(3):
            await asyncio.sleep(seconds(request))
            yield f"part {number}\n"

    return StreamingHttpResponse(parts())


async def cached(request: HttpRequest) -> HttpResponse:
    """Look a key up."""
    await cache.aset("always", "here")
    return HttpResponse(str(await cache.aget("always")))
