"""The pages a visitor may open, under the routes by which the view counts them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from demo_runner.client import Call

if TYPE_CHECKING:
    from random import Random


@dataclass(frozen=True, slots=True)
class Page:
    """A route, and a path below it with blanks for what a visitor knows."""

    endpoint: str
    path: str
    method: str = "GET"


PAGES = {
    "home": Page("/", "/"),
    "deals": Page("/deals/", "/deals/"),
    "deal": Page("/deals/<int:pk>/", "/deals/{paid}/"),
    "missing_deal": Page("/deals/<int:pk>/", "/deals/999999999/"),
    "receive_payment": Page(
        "/deals/<int:pk>/payments/", "/deals/{paid}/payments/", "POST"
    ),
    "paid_receipt": Page("/deals/<int:pk>/receipt/", "/deals/{paid}/receipt/"),
    "unpaid_receipt": Page("/deals/<int:pk>/receipt/", "/deals/{unpaid}/receipt/"),
    "payments": Page(
        "/organizations/<int:pk>/payments/", "/organizations/{organization}/payments/"
    ),
    "totals": Page(
        "/organizations/<int:pk>/totals/", "/organizations/{organization}/totals/"
    ),
    "recent_duplicates": Page("/statement/duplicates/", "/statement/duplicates/"),
    "archive_duplicates": Page(
        "/statement/duplicates/", "/statement/duplicates/?archive=1"
    ),
    "unknown_page": Page("__unresolved__", "/pages/{number}/"),
}


@dataclass(frozen=True, slots=True)
class Acquaintance:
    """What a visitor knows of the site."""

    organization: int
    paid: tuple[int, ...]
    unpaid: tuple[int, ...]

    @classmethod
    def from_deals(cls, document: dict[str, Any]) -> Self:
        """Read it from the site's own list of deals."""
        deals = document["deals"]
        return cls(
            organization=document["organization"],
            paid=tuple(deal["id"] for deal in deals if deal["payment_count"]),
            unpaid=tuple(deal["id"] for deal in deals if not deal["payment_count"]),
        )

    def call(self, page: Page, random: Random) -> Call:
        """Return the request that opens a page, its blanks filled at random."""
        path = page.path.format(
            organization=self.organization,
            paid=random.choice(self.paid),
            unpaid=random.choice(self.unpaid),
            number=random.randrange(10_000),
        )
        return Call(page.endpoint, path, page.method)
