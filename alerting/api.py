"""The API of `/api/alerting/`: who may come in, and which endpoints it is made of."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI

from alerting.endpoints import alerts, config, explain, rules, silences, webhook
from alerting.endpoints.answers import REFUSALS, answer, install_error_handlers, may
from alerting.status import Status

if TYPE_CHECKING:
    from alerting.endpoints.site import Site

__all__ = ["build_api"]


def build_api(site: Site) -> NinjaAPI:
    """Return the API of a site."""
    api = NinjaAPI(
        title="Alerting",
        description="Alerts, and who was told.",
        version=site.version,
        urls_namespace="prs_alerting",
        auth=list(site.auth),
    )
    install_error_handlers(api)
    api.add_router("", alerts.router)
    api.add_router("rules/", rules.build_router(site))
    api.add_router("silences/", silences.router)
    api.add_router("explain/", explain.build_router(site))
    if site.settings is not None:
        config.install_error_handlers(api, site.settings)
        api.add_router("config/", config.build_router(site, site.settings))

    api.add_router("webhook/", webhook.build_router(site))

    @api.get("status/", response={200: Status, **REFUSALS}, tags=["status"])
    def status(request: HttpRequest) -> HttpResponse:
        """Tell who evaluates, and how rules and channels are doing.

        The text of a rule is null for who may not read rules.
        """
        found = site.status(time.time())
        return answer(found if may(request, rules.READ) else found.without_texts())

    return api
