"""How alerting is doing, as its evaluator has published it for every process."""

from __future__ import annotations

import prs_otel
from alerting import documents
from alerting.following import look
from alerting.journal import SteadyJournal
from alerting.report import STATUS
from alerting.status import Status
from alerting.system import alerting_system


def current_status(now: float) -> Status:
    """Return the status that the evaluator has published; empty where switched off."""
    if not prs_otel.is_enabled():
        # To ask the store would create it.
        return Status()
    known = [rule.name for rule in alerting_system.get_rules()]
    journal = SteadyJournal(prs_otel.document_store())
    look(journal)
    return documents.status(journal.get(STATUS), known_rules=known, now=now)
