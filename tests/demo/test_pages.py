from __future__ import annotations

from random import Random
from typing import Any

import pytest

from demo_runner.client import Call
from demo_runner.pages import PAGES, Acquaintance

DEALS: dict[str, Any] = {
    "organization": 3,
    "deals": [{"id": 7, "payment_count": 2}, {"id": 8, "payment_count": 0}],
}


def test_a_visitor_learns_the_deals_from_the_sites_own_list() -> None:
    assert Acquaintance.from_deals(DEALS) == Acquaintance(3, paid=(7,), unpaid=(8,))


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("home", Call("/", "/")),
        ("deal", Call("/deals/<int:pk>/", "/deals/7/")),
        (
            "receive_payment",
            Call("/deals/<int:pk>/payments/", "/deals/7/payments/", "POST"),
        ),
        ("unpaid_receipt", Call("/deals/<int:pk>/receipt/", "/deals/8/receipt/")),
        ("totals", Call("/organizations/<int:pk>/totals/", "/organizations/3/totals/")),
    ],
)
def test_a_page_is_opened_with_what_the_visitor_knows(
    page: str, expected: Call
) -> None:
    known = Acquaintance.from_deals(DEALS)
    assert known.call(PAGES[page], Random(0)) == expected


def test_unknown_pages_differ_and_are_one_series() -> None:
    known, random = Acquaintance.from_deals(DEALS), Random(0)
    calls = [known.call(PAGES["unknown_page"], random) for _ in range(9)]
    assert {call.endpoint for call in calls} == {"__unresolved__"}
    assert len({call.path for call in calls}) > 1
