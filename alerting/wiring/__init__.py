"""Tie alerting to the site it watches: the only part of it that imports `prs_otel`.

A worker that neither leads nor answers for alerting has no use for what does. So each part is
imported when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import prs_otel
from alerting.system import alerting_system

if TYPE_CHECKING:
    from alerting.examination import Finding
    from alerting.rehearsal import Rehearsal
    from alerting.rounds import Round
    from alerting.schemas import Explanation, History
    from alerting.status import Status
    from alerting.wiring.lease import Lease

__all__ = ["connect", "start"]


def connect() -> None:
    """Stand by: from now on a process that becomes leader evaluates."""
    alerting_system.use_thresholds(prs_otel.thresholds)
    alerting_system.use_source(prs_otel.metric_source)
    alerting_system.use_status(_current_status)
    prs_otel.register_command_document("alerts", _alerts_document)
    prs_otel.register_command_document("test-alert", _test_alert)
    prs_otel.register_command_document("explain", _explanation)
    prs_otel.register_command_document("exported-rules", _exported_rules)
    prs_otel.register_status("alerting", _package_status)
    prs_otel.register_findings("alerting", _findings)
    prs_otel.register_cleanup("alerting", _clean_up)
    prs_otel.register_round("alerting", _round)
    prs_otel.on_lead(start)


def start(lease: Lease) -> Callable[[], None]:
    """Start to evaluate and to send; return what stops it. Does not block."""
    from alerting.wiring import leading

    return leading.start(lease)


def _current_status(now: float) -> Status:
    from alerting.wiring.status import current_status

    return current_status(now)


def _alerts_document(request: prs_otel.DocumentRequest) -> History:
    from alerting.wiring import commands

    return commands.alerts_document(request)


def _test_alert(request: prs_otel.DocumentRequest) -> Rehearsal:
    from alerting.wiring import commands

    return commands.test_alert(request)


def _explanation(request: prs_otel.DocumentRequest) -> Explanation:
    from alerting.wiring import commands

    return commands.explanation(request)


def _exported_rules(request: prs_otel.DocumentRequest) -> dict[str, object]:
    from alerting.wiring import commands

    return commands.exported_rules(request)


def _package_status(request: prs_otel.StatusRequest) -> prs_otel.PackageStatus:
    from alerting.wiring import commands

    return commands.package_status(request)


def _findings(request: prs_otel.StatusRequest) -> list[Finding]:
    from alerting.wiring import commands

    return commands.findings(request)


def _clean_up(now: float) -> dict[str, int]:
    from alerting.wiring import commands

    return commands.clean_up(now)


def _round(request: prs_otel.RoundRequest) -> Round:
    from alerting.wiring import commands

    return commands.carried_round(request)
