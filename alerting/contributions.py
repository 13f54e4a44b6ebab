"""What alerting has to say where `manage_monitoring` asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from alerting import conf, stored_rules
from alerting.channels import build_channels
from alerting.diagnosis import diagnose
from alerting.examination import Finding, examine
from alerting.history import DATABASE_ERRORS
from alerting.notifications.routing import Routing
from alerting.promrules import inhibit_rules, rule_file, translated
from alerting.rehearsal import Rehearsal, named, rehearse
from alerting.retention import prune_all
from alerting.system import alerting_system

if TYPE_CHECKING:
    from alerting.promrules import Expressions
    from alerting.rules import AnyRule
    from alerting.status import Status

__all__ = ["cleaned", "exported_rules", "findings", "rehearsed"]

SECONDS_A_DAY: Final = 86_400.0


def cleaned(*, now: float) -> dict[str, int]:
    """Forget what is older than the history's retention; raises what a database raises."""
    kept = conf.current().history_retention_days * SECONDS_A_DAY
    return asdict(prune_all(before=now - kept))


def rehearsed(name: str, *, project: str, now: float) -> Rehearsal:
    """Send a test of a rule's notifications; raise `LookupError` for an unknown rule."""
    settings = conf.current()
    rule = named(_known_rules(), name)
    routing = Routing(settings.routes, settings.escalations)
    channels = build_channels(settings.channels)
    return rehearse(rule, channels, routing=routing, project=project, now=now)


def findings(
    status: Status | None, *, now: float, workers_since: float | None
) -> Iterator[Finding]:
    """Yield what keeps alerts from being told; `status` None where nobody works."""
    yield from examine(build_channels(conf.current().channels))
    for problem in conf.problems():
        yield Finding("warning", problem.message, problem.hint)
    if status is None:
        return
    # What fires is no reason for there being no data; the channels have been asked already.
    bare = status.model_copy(update={"firing": {}, "channels": []})
    for found in diagnose(bare, now=now, workers_since=workers_since):
        remedy = "manage.py manage_monitoring status and alerts have more of it."
        yield Finding(found.level, found.message, remedy)


def exported_rules(expressions: Expressions) -> dict[str, object]:
    """Return the rules in force as files for other engines, by the name of the engine."""
    known = {rule.name: rule for rule in _known_rules()}
    rules = translated(known.values(), expressions)
    interval = conf.current().evaluation_interval
    files = {
        form: rule_file(rules, interval=interval, form=form)
        for form in ("prometheus", "mimir")
    }
    return {
        "files": {**files, "alertmanager": inhibit_rules(rules)},
        "rules": [
            {
                "name": rule.name,
                "fidelity": rule.fidelity.value,
                "reasons": list(rule.reasons),
            }
            for rule in rules
        ],
    }


def _known_rules() -> tuple[AnyRule, ...]:
    """Return the rules in code and those in the database; the later of one name counts."""
    in_code = alerting_system.get_rules()
    try:
        return (*in_code, *stored_rules.load().rules)
    except DATABASE_ERRORS:
        # The channels can be tried without it.
        return in_code
