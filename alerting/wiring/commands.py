"""What alerting contributes to the commands of `prs_otel`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import prs_otel
from alerting import conf, contributions, documents, rounds
from alerting.database import Asker, asked_by
from alerting.diagnosis import diagnose
from alerting.documents import Selection
from alerting.explanation import explain_why
from alerting.following import Following
from alerting.journal import MemoryJournal
from alerting.rules import Severity
from alerting.system import alerting_system
from alerting.wiring.leading import build_runner
from alerting.wiring.lease import Nobody
from alerting.wiring.status import current_status
from alerting.wiring.surroundings import kept, surroundings

if TYPE_CHECKING:
    from alerting.examination import Finding
    from alerting.rehearsal import Rehearsal
    from alerting.rounds import Round
    from alerting.schemas import Explanation, History


def alerts_document(request: prs_otel.DocumentRequest) -> History:
    """Return the history of alerts that a command asks for."""
    severity = None if request.severity is None else Severity(request.severity)
    selection = Selection(request.hours, severity, request.limit)
    with prs_otel.unmeasured():
        return documents.history(selection, now=request.now)


def test_alert(request: prs_otel.DocumentRequest) -> Rehearsal:
    """Send a test of a rule's notifications; raise `LookupError` for an unknown rule."""
    with prs_otel.unmeasured():
        _follow()
        return contributions.rehearsed(
            request.name, project=prs_otel.service_name(), now=request.now
        )


def explanation(request: prs_otel.DocumentRequest) -> Explanation:
    """Say why a rule did or did not notify."""
    with prs_otel.unmeasured():
        in_code, now = alerting_system.rules_in_code(), request.now
        return explain_why(request.name, current_status(now), in_code, now=now)


def carried_round(request: prs_otel.RoundRequest) -> Round:
    """Evaluate and tell once, or, without a lease, say what that would be."""
    with prs_otel.unmeasured():
        if request.lease is None:
            runner = build_runner(Nobody(), is_dry=True)
            return rounds.previewed(runner, now=request.now)
        asker = Asker("prs-alerting-database", around=surroundings)
        try:
            with asked_by(asker):
                runner = build_runner(request.lease)
                return rounds.carried_out(runner, now=request.now)
        finally:
            asker.close()


def clean_up(now: float) -> dict[str, int]:
    """Forget what is older than the retention; return how many of each there were."""
    if not prs_otel.is_enabled():
        return {}
    with prs_otel.unmeasured():
        _follow()
        return contributions.cleaned(now=now)


def exported_rules(request: prs_otel.DocumentRequest) -> dict[str, object]:
    """Return the rules as files for other engines, and how true each is there."""
    with prs_otel.unmeasured():
        return contributions.exported_rules(prs_otel.prometheus_expression)


def findings(request: prs_otel.StatusRequest) -> list[Finding]:
    """Return what keeps alerts from being told, and what does not."""
    since = request.workers_since
    # Where nobody works nobody evaluates; and to ask the store would create it.
    status = None if since is None else current_status(request.now)
    return list(contributions.findings(status, now=request.now, workers_since=since))


def package_status(request: prs_otel.StatusRequest) -> prs_otel.PackageStatus:
    """Return how alerting is doing, and what is wrong with its settings."""
    status = current_status(request.now)
    found = diagnose(status, now=request.now, workers_since=request.workers_since)
    return prs_otel.PackageStatus(status, tuple(found), conf.problems())


def _follow() -> None:
    """Put changed settings in force in a command, which need not create the store."""
    Following(kept().stored, MemoryJournal()).look()
