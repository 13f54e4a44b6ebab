"""Three views: no query, one query, ten queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.db import connection
from django.http import HttpResponse, JsonResponse

from benchmarks.site.models import Deal

if TYPE_CHECKING:
    from django.http import HttpRequest

COLUMNS = ("id", "organization_id", "title", "amount", "state")
ORDERS = tuple(sign + column for column in COLUMNS for sign in ("", "-"))


def plain(_request: HttpRequest) -> HttpResponse:
    """Answer without the database."""
    return HttpResponse("ok")


def deals(_request: HttpRequest) -> JsonResponse:
    """Answer with one query."""
    newest = Deal.objects.order_by("-id").values("id", "title", "amount")[:10]
    return JsonResponse({"deals": list(newest)})


def dashboard(_request: HttpRequest) -> JsonResponse:
    """Answer with ten queries, no two of the same text."""
    first = {
        order: list(Deal.objects.order_by(order).values_list("id", flat=True)[:5])
        for order in ORDERS
    }
    return JsonResponse(first)


def endpoint(number: int) -> Callable[[HttpRequest], HttpResponse]:
    """Return a view that runs one query of a text that no other view runs."""

    def count(_request: HttpRequest) -> HttpResponse:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT COUNT(*) AS count_{number} FROM site_deal")  # noqa: S608
            return HttpResponse(str(cursor.fetchone()[0]))

    return count
