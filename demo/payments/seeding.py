"""The demo's data: made up, but large enough to be slow where it should be."""

from __future__ import annotations

import time
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from payments.models import Deal, Organization, Payment, StatementLine, User
from payments.statement import find_duplicates

ORGANIZATIONS = ("Albatross Freight", "Bluebell Bakery", "Cobalt Robotics")
MEMBERS = 2
DEALS = 40
PAYMENTS = 3
# Of every organisation's deals each fifth is not paid for: its receipt has the bug.
UNPAID_EVERY = 5

FIRST_DAY = date(2020, 1, 1)
RECENT_LINES = 20
LINES_TO_START_WITH = 1_000
MOST_LINES = 40_000


def make_tenants(password: str) -> None:
    """Make organisations, members who all share a password, deals and payments."""
    hashed = make_password(password)
    for organization in Organization.objects.bulk_create(
        Organization(name=name) for name in ORGANIZATIONS
    ):
        word = organization.name.split()[0].lower()
        User.objects.bulk_create(
            User(username=f"{word}{n}", password=hashed, organization=organization)
            for n in range(1, MEMBERS + 1)
        )
        _make_deals(organization)


def _make_deals(organization: Organization) -> None:
    deals = Deal.objects.bulk_create(
        Deal(organization=organization, customer=f"Customer {n}", amount=100 * n)
        for n in range(1, DEALS + 1)
    )
    paid = [deal for n, deal in enumerate(deals) if n % UNPAID_EVERY]
    Payment.objects.bulk_create(
        Payment(deal=deal, amount=deal.amount / PAYMENTS)
        for deal in paid
        for _ in range(PAYMENTS)
    )


def make_statement(search_seconds: float) -> int:
    """Import lines until searching them all keeps a processor busy for that long.

    How long depends on the machine, so it is measured: in processor time, which other
    work on the machine cannot shorten and which a request's duration never goes below.
    """
    wanted = LINES_TO_START_WITH
    made = 0
    while True:
        _import_lines(made, wanted)
        made = wanted
        seconds = min(_search_seconds() for _ in range(3))
        if seconds >= search_seconds or made >= MOST_LINES:
            return made
        # The search compares pairs: its time grows with the square of the lines.
        growth = (search_seconds / max(seconds, 1e-3)) ** 0.5
        wanted = min(int(made * min(growth, 4.0)) + 100, MOST_LINES)


def _import_lines(first: int, end: int) -> None:
    """Add the lines numbered from ``first`` up to ``end``; a few are of this week."""
    today = timezone.localdate()
    lines = (
        StatementLine(
            payer=f"Payer of invoice number {number}",
            amount=Decimal(number % 500),
            booked_on=today if number < RECENT_LINES else _old_day(number),
        )
        for number in range(first, end)
    )
    while batch := list(islice(lines, 1_000)):
        StatementLine.objects.bulk_create(batch)


def _old_day(number: int) -> date:
    return FIRST_DAY + timedelta(days=number % 365)


def _search_seconds() -> float:
    begun = time.thread_time()
    find_duplicates(FIRST_DAY)
    return time.thread_time() - begun
