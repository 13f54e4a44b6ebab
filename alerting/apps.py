"""Django's entrance: register the checks and stand by for leadership."""

from __future__ import annotations

import logging

from django.apps import AppConfig

logger = logging.getLogger("prs_otel")


class AlertingConfig(AppConfig):
    """Alerting as a Django application."""

    name = "alerting"
    label = "prs_alerting"
    verbose_name = "Alerting"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Start nothing: the worker that becomes leader will ask for it."""
        try:
            from alerting import checks, wiring

            checks.register()
            wiring.connect()
        except Exception:
            logger.exception(
                "alerting cannot stand by; your application is not affected, but "
                "nobody will be told"
            )
