"""What the API of alerting needs of the site it is mounted in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import prs_otel
from alerting import conf
from alerting.endpoints.site import ChangeableSettings, Site
from alerting.external import service_of
from alerting.following import look
from alerting.inbox import Inbox
from alerting.journal import SteadyJournal
from alerting.labels import frozen
from alerting.rules.budget import TimeBudget
from alerting.wiring.status import current_status
from alerting.wiring.surroundings import kept, surroundings

if TYPE_CHECKING:
    from django.urls import URLPattern, URLResolver
    from ninja import NinjaAPI

SECONDS_AN_HOUR: Final = 3_600.0


def site() -> Site:
    """Return what the API needs: staff may come in, and read what the evaluator reads."""
    return Site(
        auth=prs_otel.authentication("staff"),
        status=current_status,
        source=prs_otel.metric_source,
        version=prs_otel.__version__,
        around=prs_otel.unmeasured,
        ask=TimeBudget(around=surroundings),
        inbox=_inbox,
        secrets=conf.webhook_secrets,
        settings=ChangeableSettings(
            kept(),
            may_read=prs_otel.settings_authentication(may_change=False),
            may_change=prs_otel.settings_authentication(may_change=True),
            contended=prs_otel.ContendedError,
        ),
    )


def mounted(api: NinjaAPI) -> list[URLPattern | URLResolver]:
    """Return the URL patterns of `api` and of what documents it."""
    return prs_otel.mounted(api)


def _inbox() -> Inbox:
    if prs_otel.is_enabled():
        look(SteadyJournal(prs_otel.document_store()))
    hours = conf.current().webhook_expiry_hours
    service = service_of(frozen(prs_otel.identity()))
    return Inbox(service, hours * SECONDS_AN_HOUR)
