"""What the API needs of the site it is mounted in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from alerting.inbox import Inbox
from alerting.readings import Ask
from alerting.rules import CodeRule
from alerting.webhook.credentials import OPEN, Secrets

if TYPE_CHECKING:
    from django.http import HttpRequest

    from alerting.source import MetricSource
    from alerting.status import Status

__all__ = ["Authenticate", "Site"]

EXPIRY: Final = 86_400.0

Authenticate: TypeAlias = "Callable[[HttpRequest], object]"


@dataclass(frozen=True)
class Site:
    """Who may come in, and where figures are read.

    `status` returns what the evaluator has published, `source` what rules read; `around`
    is entered around what the API does for itself, so that it is not measured; `ask` calls
    a condition in code; `inbox` keeps what others post who know one of the `secrets`, None
    where nobody may post.
    """

    auth: Sequence[Authenticate]
    status: Callable[[float], Status]
    source: Callable[[], MetricSource]
    version: str
    around: Callable[[], AbstractContextManager[object]] = nullcontext
    ask: Ask = CodeRule.holds
    inbox: Callable[[], Inbox] = lambda: Inbox("", EXPIRY)
    secrets: Callable[[], Secrets | None] = lambda: OPEN
