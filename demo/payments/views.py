"""Pages of the demo site, each with the fault its docstring tells."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.db.models import Count, Sum
from django.http import JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST

from payments.models import Deal, Organization, Payment
from payments.statement import find_duplicates
from payments.tenancy import organization_of_request

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

LATEST_PAYMENTS = 30
TOTALS_LIFETIME = 5


@ensure_csrf_cookie
def home(request: HttpRequest) -> HttpResponse:
    """Welcome anybody, without a query."""
    return render(request, "payments/home.html")


@login_required
def deals(request: HttpRequest) -> JsonResponse:
    """List the deals of one's own organisation."""
    rows = _own_deals(request).annotate(payment_count=Count("payments"))
    fields = ("id", "customer", "amount", "payment_count")
    return JsonResponse(
        {
            "organization": organization_of_request(request),
            "deals": list(rows.order_by("id").values(*fields)),
        }
    )


@login_required
def deal(request: HttpRequest, pk: int) -> JsonResponse:
    """Show a deal and what was received for it; ``Http404`` for anyone else's."""
    found = get_object_or_404(_own_deals(request), pk=pk)
    payments = Payment.objects.filter(deal=found)
    received = payments.aggregate(total=Sum("amount"))["total"]
    return JsonResponse({"customer": found.customer, "received": received or 0})


@require_POST
@login_required
def receive_payment(request: HttpRequest, pk: int) -> JsonResponse:
    """Receive a payment for a deal."""
    found = get_object_or_404(_own_deals(request), pk=pk)
    payment = Payment.objects.create(deal=found, amount=Decimal("25.00"))
    return JsonResponse({"id": payment.pk}, status=201)


@login_required
def receipt(request: HttpRequest, pk: int) -> JsonResponse:
    """State the average instalment: a deal nobody has paid for yet divides by zero."""
    found = get_object_or_404(_own_deals(request), pk=pk)
    payments = Payment.objects.filter(deal=found)
    amounts = list(payments.values_list("amount", flat=True))
    average = sum(amounts) / len(amounts)
    return JsonResponse({"instalments": len(amounts), "average": round(average, 2)})


@login_required
def latest_payments(request: HttpRequest, pk: int) -> JsonResponse:
    """List the latest payments: N+1, as each asks for its deal again."""
    organization = get_object_or_404(_own_organizations(request), pk=pk)
    latest = Payment.objects.filter(deal__organization=organization).order_by("-id")
    rows = [
        {"amount": payment.amount, "customer": payment.deal.customer}
        for payment in latest[:LATEST_PAYMENTS]
    ]
    return JsonResponse({"payments": rows})


@login_required
def totals(request: HttpRequest, pk: int) -> JsonResponse:
    """Sum up an organisation, from the cache when a worker did so a moment ago."""
    key = f"totals-{get_object_or_404(_own_organizations(request), pk=pk).pk}"
    answer = cache.get(key)
    if answer is None:
        answer = Payment.objects.filter(deal__organization=pk).aggregate(
            count=Count("id"), received=Sum("amount")
        )
        cache.set(key, answer, TOTALS_LIFETIME)
    return JsonResponse(answer)


@login_required
def duplicates(request: HttpRequest) -> JsonResponse:
    """Look for lines booked twice: fast for a week, slow for the whole archive."""
    week_ago = timezone.localdate() - timedelta(days=7)
    since = date.min if "archive" in request.GET else week_ago
    return JsonResponse({"pairs": len(find_duplicates(since))})


def _own_deals(request: HttpRequest) -> QuerySet[Deal]:
    return Deal.objects.filter(organization=organization_of_request(request))


def _own_organizations(request: HttpRequest) -> QuerySet[Organization]:
    return Organization.objects.filter(pk=organization_of_request(request))
