"""What the API answers and the commands print, built from the view and a time.

Every builder is a function of the view, what is asked and `now`, so that
`manage_monitoring … --format json` and the endpoint of the same name cannot differ.
"""

from __future__ import annotations

from prs_otel.monitoring.documents.calls import api_metrics
from prs_otel.monitoring.documents.configuration import (
    effective_settings,
    setting_changes,
)
from prs_otel.monitoring.documents.database import database_metrics
from prs_otel.monitoring.documents.health import ALIVE, detailed_health
from prs_otel.monitoring.documents.latency import latency
from prs_otel.monitoring.documents.lines import LineQuery, endpoint_trends
from prs_otel.monitoring.documents.maintenance import (
    ACTIONS,
    cleanup,
    compact,
    reset_counters,
    trim,
)
from prs_otel.monitoring.documents.page import Page
from prs_otel.monitoring.documents.samples import SampleQuery, slow_calls, slow_queries
from prs_otel.monitoring.documents.summary import organization_summary, summary
from prs_otel.monitoring.documents.system import system_metrics
from prs_otel.monitoring.documents.trends import TrendQuery, trends

__all__ = [
    "ACTIONS",
    "ALIVE",
    "LineQuery",
    "Page",
    "SampleQuery",
    "TrendQuery",
    "api_metrics",
    "cleanup",
    "compact",
    "database_metrics",
    "detailed_health",
    "effective_settings",
    "endpoint_trends",
    "latency",
    "organization_summary",
    "reset_counters",
    "setting_changes",
    "slow_calls",
    "slow_queries",
    "summary",
    "system_metrics",
    "trends",
    "trim",
]
