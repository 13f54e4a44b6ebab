"""The subcommands of `manage_monitoring`, in the order in which its help lists them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from prs_otel.management.subcommands.alerts import Alerts
from prs_otel.management.subcommands.doctor import Doctor
from prs_otel.management.subcommands.explain import Explain
from prs_otel.management.subcommands.export_dashboard import ExportDashboard
from prs_otel.management.subcommands.export_metrics import ExportMetrics
from prs_otel.management.subcommands.export_rules import ExportRules
from prs_otel.management.subcommands.health_check import HealthCheck
from prs_otel.management.subcommands.status import ShowStatus
from prs_otel.management.subcommands.summary import ShowSummary
from prs_otel.management.subcommands.test_alert import TestAlert
from prs_otel.management.subcommands.token import Tokens
from prs_otel.management.subcommands.top import Top
from prs_otel.management.subcommands.upkeep import Cleanup, ResetCounters

if TYPE_CHECKING:
    from prs_otel.management.report import Subcommand

SUBCOMMANDS: Final[Sequence[Subcommand]] = (
    ShowStatus(),
    ShowSummary(),
    Top(),
    Alerts(),
    Cleanup(),
    ResetCounters(),
    TestAlert(),
    Explain(),
    ExportMetrics(),
    ExportRules(),
    ExportDashboard(),
    HealthCheck(),
    Doctor(),
    Tokens(),
)
