"""What people were told, and what they were to be told: the truth about alerts.

On any database alias, by the project's routers. Times for people are datetimes; those
that only the outbox compares are epoch seconds, which no time zone can make ambiguous.
"""

from __future__ import annotations

from django.db import models

from alerting.alert import Kind, State
from alerting.notifications.telling import Outcome
from alerting.rules import Severity

__all__ = [
    "Alert",
    "AlertTransition",
    "Delivery",
    "Evaluator",
    "ExternalAlert",
    "ReceivedSignature",
    "RuleChange",
    "StoredRule",
    "StoredSilence",
]


def _choices(values: type[State | Kind | Outcome | Severity]) -> list[tuple[str, str]]:
    return [(member.value, member.value) for member in values]


class Alert(models.Model):
    """One episode of an alert: from firing to resolved.

    The id follows from the fingerprint and the number of the episode, so two
    evaluators can never record the same episode twice.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    fingerprint = models.CharField(max_length=32)
    episode = models.BigIntegerField()
    scope = models.CharField(max_length=255, default="", blank=True)
    name = models.CharField(max_length=100)
    severity = models.CharField(
        max_length=16, choices=_choices(Severity), help_text="the worst it has been"
    )
    state = models.CharField(max_length=16, choices=_choices(State))
    labels = models.JSONField(default=dict)
    value = models.FloatField(null=True)
    threshold = models.FloatField(null=True)
    message = models.TextField()
    evidence = models.JSONField(default=dict)
    reason = models.CharField(max_length=255, default="", blank=True)
    sequence = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    fired_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=150, default="", blank=True)
    acknowledgement = models.CharField(
        max_length=500, default="", blank=True, help_text="what is being done about it"
    )

    class Meta:
        """Newest first; an episode is recorded once."""

        ordering = ("-fired_at", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("fingerprint", "episode"), name="prs_alerting_one_episode"
            ),
        )
        indexes = (
            # The history of some hours: what is open or was resolved within them.
            models.Index(
                fields=("resolved_at", "fired_at"), name="prs_alerting_history"
            ),
            models.Index(fields=("scope", "resolved_at"), name="prs_alerting_open"),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.severity}, {self.state})"


class AlertTransition(models.Model):
    """One step of an alert; `notice` is all that was known then."""

    alert = models.ForeignKey(
        Alert, on_delete=models.CASCADE, related_name="transitions"
    )
    sequence = models.PositiveIntegerField()
    scope = models.CharField(max_length=255, default="", blank=True)
    kind = models.CharField(max_length=16, choices=_choices(Kind))
    severity = models.CharField(max_length=16, choices=_choices(Severity))
    at = models.DateTimeField()
    notice = models.JSONField()

    class Meta:
        """In the order of happening; a step is recorded once."""

        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("alert", "sequence"), name="prs_alerting_one_step"
            ),
        )
        indexes = (
            # What another evaluator of the same scope has done since.
            models.Index(fields=("scope", "id"), name="prs_alerting_since"),
        )

    def __str__(self) -> str:
        return f"{self.kind} ({self.severity})"


class Delivery(models.Model):
    """One transition on one channel: the outbox, and the record of what was told."""

    key = models.CharField(max_length=255, unique=True)
    alert = models.ForeignKey(
        Alert, on_delete=models.CASCADE, related_name="deliveries"
    )
    sequence = models.PositiveIntegerField()
    channel = models.CharField(max_length=100)
    kind = models.CharField(max_length=16, choices=_choices(Kind))
    severity = models.CharField(max_length=16, choices=_choices(Severity))
    state = models.CharField(max_length=16, choices=_choices(Outcome))
    reason = models.CharField(max_length=255, default="", blank=True)
    recipients = models.JSONField(default=list)
    accepted = models.JSONField(default=list)
    batch = models.CharField(max_length=255, default="", blank=True)
    is_digest = models.BooleanField(default=False)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.FloatField(default=0.0)
    claimed_until = models.FloatField(default=0.0)
    claimed_by = models.CharField(max_length=64, default="", blank=True)
    last_error = models.CharField(max_length=500, default="", blank=True)
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        """In the order of decision."""

        ordering = ("id",)
        verbose_name_plural = "deliveries"
        indexes = (
            models.Index(fields=("state", "next_at"), name="prs_alerting_due"),
            models.Index(fields=("created_at",), name="prs_alerting_recent"),
        )

    def __str__(self) -> str:
        return f"{self.kind} by {self.channel}: {self.state}"


class Evaluator(models.Model):
    """Who evaluates for the alerts of one scope, and when it was last heard of."""

    scope = models.CharField(max_length=255, primary_key=True)
    service = models.CharField(max_length=255, default="", blank=True)
    seen_at = models.DateTimeField()

    class Meta:
        """Those of one service look for the silent ones among them."""

        indexes = (
            models.Index(fields=("service", "seen_at"), name="prs_alerting_silent"),
        )

    def __str__(self) -> str:
        return self.scope


class StoredRule(models.Model):
    """A rule that somebody has stored; `definition` has the fields of `alerting.rules.Rule`."""

    name = models.CharField(max_length=100, unique=True)
    definition = models.JSONField()
    updated_at = models.DateTimeField()
    updated_by = models.CharField(max_length=150, default="", blank=True)

    class Meta:
        """By name, as people look for it."""

        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class RuleChange(models.Model):
    """Who changed which stored rule, and how; null is what was not stored."""

    name = models.CharField(max_length=100)
    old = models.JSONField(null=True)
    new = models.JSONField(null=True)
    user = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        """In the order of happening."""

        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.name} by {self.user}"


class StoredSilence(models.Model):
    """A time in which certain alerts are not told; `definition` says which, and in which hours."""

    id = models.UUIDField(primary_key=True, editable=False)
    definition = models.JSONField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    author = models.CharField(max_length=150)
    comment = models.CharField(max_length=500)
    created_at = models.DateTimeField()

    class Meta:
        """The one that ends first comes first."""

        ordering = ("ends_at", "id")
        indexes = (models.Index(fields=("ends_at",), name="prs_alerting_silences"),)

    def __str__(self) -> str:
        return f"{self.comment} ({self.author})"


class ExternalAlert(models.Model):
    """What another system last said of an alert of its own.

    `scope` is the evaluator that has taken it on; `is_noticed` tells whether that one has
    seen it fire, `is_settled` that it has nothing more to see.
    """

    service = models.CharField(max_length=255, default="", blank=True)
    source = models.CharField(max_length=100)
    fingerprint = models.CharField(max_length=32)
    scope = models.CharField(max_length=255, default="", blank=True)
    name = models.CharField(max_length=100)
    severity = models.CharField(max_length=16, choices=_choices(Severity))
    labels = models.JSONField(default=dict)
    message = models.TextField(default="", blank=True)
    metrics = models.JSONField(default=dict)
    url = models.CharField(max_length=2000, default="", blank=True)
    is_firing = models.BooleanField()
    is_noticed = models.BooleanField(default=False)
    is_settled = models.BooleanField(default=False)
    starts_at = models.FloatField(null=True)
    ends_at = models.FloatField(null=True)
    expires_at = models.FloatField()
    received_at = models.DateTimeField()

    class Meta:
        """No source can touch what another has posted."""

        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("service", "source", "fingerprint"),
                name="prs_alerting_one_external",
            ),
        )
        indexes = (
            models.Index(
                fields=("is_settled", "received_at"), name="prs_alerting_external"
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.source})"


class ReceivedSignature(models.Model):
    """A signature that has been used, kept until it is too old to be used again."""

    digest = models.CharField(max_length=64, primary_key=True)
    received_at = models.DateTimeField()

    class Meta:
        """The oldest are forgotten first."""

        indexes = (
            models.Index(fields=("received_at",), name="prs_alerting_signatures"),
        )

    def __str__(self) -> str:
        return self.digest
