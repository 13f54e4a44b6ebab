"""What `ALERTING_SETTINGS` may say: every key with its type, its bounds and its meaning."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from alerting.channels.address import Address
from alerting.channels.options import HttpAddress, Write
from alerting.notifications.company import TRACE_ID
from alerting.notifications.muting import Inhibition
from alerting.notifications.routing import Escalation, SendTo
from alerting.webhook.credentials import Secrets

__all__ = ["AlertingSettings"]


def _listed(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _secrets(value: object) -> object:
    return None if value is None else Secrets.of(value)


def _trace_url(value: str) -> str:
    address = Address.parse(value)
    # Everybody who is told reads it: no place for a password.
    if TRACE_ID not in value or TRACE_ID in address.origin or address.authorization:
        raise ValueError("no address of a trace")
    return value


class AlertingSettings(BaseModel):
    """What `ALERTING_SETTINGS` may say, one attribute per upper-case key."""

    model_config = ConfigDict(
        arbitrary_types_allowed=True,
        extra="forbid",
        frozen=True,
        strict=True,
        use_attribute_docstrings=True,
    )

    alert_cooldown_minutes: Annotated[
        float, Field(ge=0, le=10_080), Write("a number of minutes from 0 to 10080")
    ] = 15
    """An alert that was told is not told again so soon, unless it got worse (minutes)."""
    max_alerts_per_hour: Annotated[
        int, Field(ge=1), Write("a whole number, 1 or more")
    ] = 10
    """So many alerts of one rule, or of one other system, are told one by one; the others go into
    a digest."""
    max_flaps_per_hour: Annotated[
        int, Field(ge=1), Write("a whole number, 1 or more")
    ] = 4
    """An alert that comes and goes is told so often in an hour, and then only if it stays."""
    email_batch_size: Annotated[
        int, Field(ge=1, le=100), Write("a whole number from 1 to 100")
    ] = 5
    """Up to so many alerts share a mail; 1 makes every alert a mail of its own."""
    group_wait_seconds: Annotated[
        float, Field(ge=0, le=3600), Write("a number of seconds from 0 to 3600")
    ] = 0
    """How long an alert waits for others to be told together with (seconds)."""
    history_retention_days: Annotated[
        float, Field(gt=0, le=3650), Write("a number of days above 0 and up to 3650")
    ] = 90
    """How long an alert is kept after it was resolved, a silence after its end, and a change of a rule (days)."""
    evaluation_interval: Annotated[
        float, Field(ge=1, le=3600), Write("a number of seconds from 1 to 3600")
    ] = 15.0
    """How often rules are evaluated (seconds)."""
    rules: Annotated[
        tuple[Any, ...], BeforeValidator(_listed), Write("a list of rules")
    ] = ()
    """Rules besides the built-in ones; one of the same name replaces a built-in rule."""
    repeat_interval_hours: Annotated[
        float, Field(ge=0, le=8760), Write("a number of hours from 0 to 8760")
    ] = 0
    """What goes on and nobody has acknowledged is told again after so long; 0 for never."""
    routes: Annotated[
        tuple[SendTo, ...],
        Field(strict=False, max_length=100),
        Write('a list such as [{"matchers": {"team": "a"}, "channels": ["email"]}]'),
    ] = ()
    """Where alerts are told: the first route that matches, else on every channel."""
    escalations: Annotated[
        tuple[Escalation, ...],
        Field(strict=False, max_length=100),
        Write('a list such as [{"after": "30m", "channels": ["email"]}]'),
    ] = ()
    """Where alerts are told as well that nobody has acknowledged after so long."""
    inhibitions: Annotated[
        tuple[Inhibition, ...],
        Field(strict=False, max_length=100),
        Write(
            'a list such as [{"source": {"alertname": "a"}, "target": {"alertname": "b"}}]'
        ),
    ] = ()
    """While an alert that matches `source` fires, those that match `target` are not told."""
    channels: Annotated[
        tuple[str | dict[str, Any], ...],
        BeforeValidator(_listed),
        Write('a list such as ["email", "log"]'),
    ] = ("email", "log")
    """Who tells: `email` (to `ADMINS`), `log`, `console`, a path to your own class, or a
    dictionary: see [channels](channels.md)."""
    trace_url_template: Annotated[
        Annotated[str, Field(max_length=1000), AfterValidator(_trace_url)] | None,
        Write(
            "an http or https address without password, with {trace_id} in its path or "
            "query, such as 'https://traces.example/trace/{trace_id}', or None"
        ),
    ] = None
    """Where a trace can be looked at: with `{trace_id}`; the links of every message."""
    dead_mans_switch_url: Annotated[
        HttpAddress | None, Write("an address such as 'https://host/path', or None")
    ] = None
    """Asked for every minute as long as rules are evaluated, so that its end is noticed."""
    webhook_secret: Annotated[
        Secrets | None,
        BeforeValidator(_secrets),
        Write("a string, two in a list, or such by the source's name; or None"),
    ] = None
    """The secret by which other systems prove that they may post alerts to the webhook."""
    webhook_expiry_hours: Annotated[
        float, Field(gt=0, le=8760), Write("a number of hours above 0 and up to 8760")
    ] = 24
    """An alert from the webhook that nobody repeats or resolves is over after so long."""
