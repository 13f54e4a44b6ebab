"""The view that commands read, with errors in words for whoever typed the command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.management.base import CommandError

from prs_otel import pipeline
from prs_otel.management.report import Level

if TYPE_CHECKING:
    from prs_otel.rollup.view import MetricsView


def opened_view() -> MetricsView:
    """Return the view over the store the server writes to; raises `CommandError`."""
    if not pipeline.is_enabled():
        raise CommandError(
            'Monitoring is switched off: MONITORING_SETTINGS["ENABLED"] is False.',
            returncode=Level.CRITICAL,
        )
    pipeline.follow_changes()
    return pipeline.view()
