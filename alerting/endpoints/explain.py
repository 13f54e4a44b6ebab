"""`explain/`: why an alert or a rule did or did not notify."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from ninja.errors import HttpError
from pydantic import BaseModel, Field

from alerting.endpoints.answers import REFUSALS, answer, may, refusal
from alerting.endpoints.rules import READ
from alerting.explanation import explain_alert, explain_why
from alerting.schemas import Error, ExplainedAlert, Explanation
from alerting.system import alerting_system

if TYPE_CHECKING:
    from alerting.endpoints.site import Site

__all__ = ["build_router"]


class Asked(BaseModel):
    """An alert by its id, or a rule by its name."""

    alert_id: UUID | None = None
    rule: Annotated[str, Field(max_length=200)] | None = None


def build_router(site: Site) -> Router:
    """Return the endpoint, which reads how rules do from `site`."""
    router = Router(tags=["alerts"])

    @router.get(
        "", response={200: ExplainedAlert | Explanation, 404: Error, **REFUSALS}
    )
    def explain(request: HttpRequest, asked: Query[Asked]) -> HttpResponse:
        """Return, step by step, who was told and who was not, and why.

        Of a rule also, from its last evaluation, why it does or does not fire; what it says
        is left out for who may not read rules.
        """
        if (asked.alert_id is None) is (asked.rule is None):
            problems = ["ask for one of alert_id and rule"]
            raise refusal(problems, "alert_id", part="query")
        if asked.rule is not None:
            now = time.time()
            status = site.status(now)
            shown = status if may(request, READ) else status.without_texts()
            in_code = alerting_system.rules_in_code()
            return answer(explain_why(asked.rule, shown, in_code, now=now))
        found = None if asked.alert_id is None else explain_alert(asked.alert_id)
        if found is None:
            raise HttpError(404, "There is no such alert.")
        return answer(found)

    return router
