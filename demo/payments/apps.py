"""The application's configuration."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in

from payments.tenancy import remember_organization


class PaymentsConfig(AppConfig):
    """Receives payments."""

    name = "payments"

    def ready(self) -> None:
        """Note the organisation of everyone who signs in."""
        user_logged_in.connect(remember_organization)
