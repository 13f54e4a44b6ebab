"""Views that query the database, each in a way of its own."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection, connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from library.models import Author, Book
from library.views import seconds

# Ten orders make ten different texts, so ten queries are not an N+1.
ORDERS = (
    ("title",),
    ("-title",),
    ("pages",),
    ("-pages",),
    ("title", "pages"),
    ("title", "-pages"),
    ("-title", "pages"),
    ("-title", "-pages"),
    ("pages", "title"),
    ("-pages", "title"),
)


def one(request: HttpRequest) -> HttpResponse:
    """Run one query."""
    author = Author.objects.order_by("pk").first()
    return HttpResponse(author.name if author else "nobody")


def ten(request: HttpRequest) -> HttpResponse:
    """Run ten different queries."""
    found = [Book.objects.order_by(*order).first() for order in ORDERS]
    return HttpResponse(str(len(found)))


def slow(request: HttpRequest) -> HttpResponse:
    """Run one query of `?seconds=`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [seconds(request, 0.2)])
    return HttpResponse("slow")


def n_plus_one(request: HttpRequest) -> HttpResponse:
    """Fetch the author of each book by a query of its own."""
    names = [book.author.name for book in Book.objects.order_by("pk")[:10]]
    return HttpResponse(", ".join(names))


def iterates(request: HttpRequest) -> HttpResponse:
    """Read through a server-side cursor where the database has one."""
    titles = Book.objects.order_by("pk").values_list("title", flat=True)
    return HttpResponse(", ".join(titles.iterator(chunk_size=3)))


def executes_many(request: HttpRequest) -> HttpResponse:
    """Run one statement with many sets of parameters."""
    rows = [(pages, f"Book {pages}") for pages in range(5)]
    with connection.cursor() as cursor:
        cursor.executemany("UPDATE library_book SET pages = %s WHERE title = %s", rows)
    return HttpResponse("many")


def writes(request: HttpRequest) -> HttpResponse:
    """Insert a row."""
    return HttpResponse(str(Author.objects.create(name="Somebody").pk))


def other_alias(request: HttpRequest) -> HttpResponse:
    """Query the second database."""
    with connections["other"].cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("other")


def wrong(request: HttpRequest) -> HttpResponse:
    """Run a statement that the database refuses."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 'a secret' FROM no_such_table")
    return HttpResponse("never")


def distinct(request: HttpRequest, number: int) -> HttpResponse:
    """Run a statement nobody has run before, or `?count=` of them from this one on."""
    count = int(request.GET.get("count", "1"))
    with connection.cursor() as cursor:
        for each in range(number, number + count):
            cursor.execute(f"SELECT 1 AS column_{each}")
    return HttpResponse("distinct")


def large(request: HttpRequest, size: int) -> HttpResponse:
    """Run a statement of `size` bytes."""
    filler = "x" * (size - len("SELECT ''"))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT '{filler}'")
    return HttpResponse("large")


def streams(request: HttpRequest) -> StreamingHttpResponse:
    """Query while the response is being sent."""

    def parts() -> Iterator[str]:
        for book in Book.objects.order_by("pk").iterator():
            yield f"{book.title}\n"

    return StreamingHttpResponse(parts())
