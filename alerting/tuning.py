"""What of an evaluator depends on settings: made from them, and made anew once they change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from alerting import conf
from alerting.acknowledgement import acknowledged
from alerting.notifications.policy import Limits
from alerting.notifications.routing import Routing
from alerting.notifier import Notifier, Policies
from alerting.retention import Retention

if TYPE_CHECKING:
    from alerting.channels import Channel
    from alerting.following import Following
    from alerting.ledger import Ledger
    from alerting.outbox import Outbox
    from alerting.runner import Parts
    from alerting.settings_model import AlertingSettings
    from alerting.source import MetricSource
    from alerting.stored_silences import Silences

__all__ = ["Tuning", "cooldown", "max_gap"]

# Evaluations that may be missed before the time between counts as unobserved.
GAP_INTERVALS: Final = 4
SHORTEST_GAP: Final = 60.0
SECONDS_A_MINUTE: Final = 60.0
SECONDS_AN_HOUR: Final = 3_600.0
SECONDS_A_DAY: Final = 86_400.0


def max_gap(settings: AlertingSettings) -> float:
    """Return the longest silence between two evaluations that is none (seconds)."""
    return max(GAP_INTERVALS * settings.evaluation_interval, SHORTEST_GAP)


def cooldown(settings: AlertingSettings) -> float:
    """Return how long what was told is not told again (seconds)."""
    return settings.alert_cooldown_minutes * SECONDS_A_MINUTE


@dataclass(frozen=True)
class Tuning:
    """Makes and replaces parts of one evaluator; what they have in common stays."""

    source: MetricSource
    ledger: Ledger
    channels: Mapping[str, Channel]
    outbox: Outbox
    silences: Silences
    following: Following

    def follow(self, parts: Parts) -> Parts:
        """Return the parts as what has been changed says; the same when nothing has."""
        if not self.following.look():
            return parts
        settings = conf.current()
        self.outbox.batch_size = settings.email_batch_size
        if parts.switch is not None:
            parts.switch.patience = max_gap(settings)
        return replace(
            parts,
            notifier=self.notifier(settings),
            retention=self.retention(settings),
            setting=replace(parts.setting, max_gap=max_gap(settings)),
            interval=settings.evaluation_interval,
            revision=self.following.revision,
            cooldown=cooldown(settings),
            trace_url=settings.trace_url_template,
        )

    def retention(self, settings: AlertingSettings) -> Retention:
        """Return what keeps the history within its bounds."""
        return Retention(settings.history_retention_days * SECONDS_A_DAY)

    def notifier(self, settings: AlertingSettings) -> Notifier:
        """Return what decides who is told."""
        policies = Policies(
            limits=Limits(
                cooldown(settings),
                settings.max_alerts_per_hour,
                settings.max_flaps_per_hour,
                settings.group_wait_seconds,
            ),
            routing=Routing(
                settings.routes,
                settings.escalations,
                repeat=settings.repeat_interval_hours * SECONDS_AN_HOUR,
            ),
            silences=self.silences,
            inhibitions=settings.inhibitions,
            acknowledged=acknowledged,
            interval=settings.evaluation_interval,
        )
        return Notifier(self.source, self.ledger, self.channels, policies)
