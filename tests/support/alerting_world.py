"""An evaluator with everything around it, in one process and at a time of one's choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from alerting import history
from alerting.acknowledgement import acknowledged
from alerting.backlog import Backlog
from alerting.channels import DeliveryError
from alerting.dead_letters import WithDeadLetters
from alerting.dead_mans_switch import DeadMansSwitch
from alerting.evaluator import Setting
from alerting.external import Externals
from alerting.journal import Journal, MemoryJournal, SteadyJournal
from alerting.labels import Labels
from alerting.ledger import Ledger
from alerting.models import Alert, Delivery
from alerting.notifications.message import Message
from alerting.notifications.muting import Inhibition
from alerting.notifications.policy import Limits
from alerting.notifications.routing import Routing
from alerting.notifier import Notifier, Policies
from alerting.outbox import DatabaseBox, JournalledBox, Outbox
from alerting.presence import Presence
from alerting.resending import Resending
from alerting.retention import Retention
from alerting.rules import AnyRule, load_rule
from alerting.runner import Parts, Runner
from alerting.sender import Sender
from alerting.stored_silences import Silences
from tests.support.alerting_source import FakeSource
from tests.support.clock import Clock

METRIC = "system.cpu.utilization"
RULE: dict[str, Any] = {
    "name": "high_cpu_usage",
    "metric": METRIC,
    "threshold": {"warning": 0.8, "critical": 0.9},
}


@dataclass
class FakeChannel:
    """Keeps what it is told to send, and fails as it is told to."""

    name: str = "fake"
    people: tuple[str, ...] = ("alice@example.org", "bob@example.org")
    reason: str = ""
    failures: list[Exception] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)
    tried: list[Message] = field(default_factory=list)

    def unavailable(self) -> str:
        return self.reason

    def recipients(self) -> tuple[str, ...]:
        return self.people

    def send(self, message: Message) -> tuple[str, ...]:
        self.tried.append(message)
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(message)
        return message.recipients

    @property
    def told(self) -> list[str]:
        """What was told, one entry per message: kinds and rules."""
        return [
            " + ".join(f"{n.name} {n.kind} {n.severity}" for n in message.notices)
            for message in self.sent
        ]

    def fails(self, *, times: int = 1, permanent: bool = False) -> None:
        self.failures += [DeliveryError("refused", permanent=permanent)] * times


@dataclass
class World:
    """One evaluator; make a second one around the same journal for a successor."""

    rules: list[AnyRule] = field(default_factory=lambda: [load_rule(RULE)])
    source: FakeSource = field(default_factory=FakeSource)
    clock: Clock = field(default_factory=Clock)
    channels: Sequence[FakeChannel] = field(default_factory=lambda: [FakeChannel()])
    journal: Journal = field(default_factory=MemoryJournal)
    limits: Limits = field(default_factory=lambda: Limits(cooldown=0.0, per_hour=100))
    scope: Labels = ()
    holder: str = "first"
    batch_size: int = 5
    inhibitions: Sequence[Inhibition] = ()
    routing: Routing = field(default_factory=Routing)
    interval: float = 15.0
    retention: float = 90 * 86_400.0
    switch: DeadMansSwitch | None = None

    def __post_init__(self) -> None:
        steady = SteadyJournal(self.journal)
        self.backlog = Backlog(steady)
        self.ledger = Ledger(
            steady,
            self.backlog,
            holder=self.holder,
            scope=self.scope,
            cooldown=self.limits.cooldown,
        )
        by_name = {channel.name: channel for channel in self.channels}
        self.outbox = Outbox(
            self.ledger,
            DatabaseBox(history.scope_name(self.scope)),
            JournalledBox(self.backlog, self.ledger),
            batch_size=self.batch_size,
        )
        self.sender = Sender(
            self.outbox, by_name, clock=self.clock, jitter=lambda: 1.0, project="shop"
        )
        source = WithDeadLetters(self.source, self.ledger, by_name)
        parts = Parts(
            rules=lambda: tuple(self.rules),
            source=source,
            ledger=self.ledger,
            presence=Presence(self.scope),
            externals=Externals(self.scope),
            retention=Retention(self.retention),
            notifier=Notifier(source, self.ledger, by_name, self._policies()),
            sender=self.sender,
            resending=Resending(by_name, self.ledger, find=self.outbox.notices),
            journal=steady,
            setting=Setting(max_gap=3600.0, scope=self.scope),
            interval=self.interval,
            host="web1",
            pid=42,
            switch=self.switch,
        )
        self.runner = Runner(parts, clock=self.clock)

    def _policies(self) -> Policies:
        return Policies(
            limits=self.limits,
            routing=self.routing,
            silences=Silences(),
            inhibitions=self.inhibitions,
            acknowledged=acknowledged,
            interval=self.interval,
        )

    @property
    def channel(self) -> FakeChannel:
        return self.channels[0]

    def successor(self, **changes: Any) -> World:
        """Return another evaluator of the same site: same journal, clock and channels."""
        same = {
            "rules": self.rules,
            "source": self.source,
            "clock": self.clock,
            "channels": self.channels,
            "journal": self.journal,
            "limits": self.limits,
            "scope": self.scope,
            "batch_size": self.batch_size,
        }
        return World(**{**same, "holder": "second", **changes})

    def evaluate(self, *values: float, after: float = 15.0) -> None:
        """Let time pass, measure `values` (none: no data) and evaluate once."""
        self.clock.advance(after)
        self.source.says(METRIC, *values)
        self.runner.tick(self.clock.now)

    def deliver(self, *, after: float = 0.0) -> None:
        """Let time pass and send all that is due then."""
        self.clock.advance(after)
        while self.runner.deliver() == 0.0:
            pass

    def step(self, *values: float, after: float = 15.0) -> None:
        """Evaluate and deliver."""
        self.evaluate(*values, after=after)
        self.deliver()


def deliveries() -> list[tuple[str, str, str]]:
    """Return kind, state and reason of every delivery, in order."""
    rows = Delivery.objects.order_by("id").values_list("kind", "state", "reason")
    return [(kind, state, reason) for kind, state, reason in rows]


def alerts() -> list[tuple[str, str, str]]:
    """Return name, severity and state of every alert, in order."""
    rows = Alert.objects.order_by("fired_at", "id")
    return [(alert.name, alert.severity, alert.state) for alert in rows]
