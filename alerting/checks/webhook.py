"""Judge whether anybody may post alerts to this site."""

from __future__ import annotations

from typing import Final

from django.urls import reverse

__all__ = ["HINT", "MESSAGE", "is_open"]

URL_NAME: Final = "prs_alerting:webhook"
MESSAGE: Final = "Whoever reaches the webhook can post alerts: it has no secret."
HINT: Final = (
    "Write a long random value as ALERTING_SETTINGS['WEBHOOK_SECRET'], and have the "
    "systems that post sign with it."
)


def is_open(*, has_secret: bool, is_debug: bool) -> bool:
    """Tell whether a deployed webhook takes alerts from everybody."""
    return not has_secret and not is_debug and _is_mounted()


def _is_mounted() -> bool:
    try:
        reverse(URL_NAME)
    except Exception:  # noqa: BLE001 - broken URLs are for Django's own checks to report
        return False
    return True
