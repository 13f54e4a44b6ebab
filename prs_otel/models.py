"""What people decide about monitoring and the database therefore keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    from datetime import datetime


class Token(models.Model):
    """A bearer token of the monitoring API; it may do what its user may do.

    Only a digest of the secret is kept. `key` is the public part, by which a token is found
    and named in lists.
    """

    name = models.CharField(max_length=100)
    key = models.CharField(max_length=16, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="prs_otel_tokens",
    )
    created_at = models.DateTimeField(editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Newest first, as a list of tokens is read."""

        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return f"{self.name} ({self.key})"

    def is_usable(self, now: datetime) -> bool:
        """Tell whether the token is neither revoked nor expired at `now`."""
        is_expired = self.expires_at is not None and self.expires_at <= now
        return self.revoked_at is None and not is_expired


class Configuration(models.Model):
    """What was changed of a settings dictionary while the project ran; each has one row.

    `revision` grows with every change, by which two who change it at once are told apart.
    """

    changes = models.JSONField(default=dict)
    revision = models.PositiveBigIntegerField(default=0)

    class Meta:
        """Who may change settings need not be who may drop measurements."""

        permissions = (
            ("maintain_monitoring", "Can clean up, compact and reset measurements"),
        )

    def __str__(self) -> str:
        return f"revision {self.revision}"


class SettingChange(models.Model):
    """Who changed a setting, when, from what to what; null is what the settings file says."""

    revision = models.PositiveBigIntegerField(editable=False)
    key = models.CharField(max_length=100, editable=False)
    old = models.JSONField(null=True, editable=False)
    new = models.JSONField(null=True, editable=False)
    changed_at = models.DateTimeField(editable=False)
    # The name stays when the user goes.
    username = models.CharField(max_length=255, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        editable=False,
    )

    class Meta:
        """Newest first, as an audit is read."""

        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.key} by {self.username}"
