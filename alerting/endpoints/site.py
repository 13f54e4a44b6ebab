"""What the API needs of the site it is mounted in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from alerting.inbox import Inbox
from alerting.readings import Ask
from alerting.rules import CodeRule
from alerting.webhook.credentials import OPEN, Secrets

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.base_user import AbstractBaseUser
    from django.http import HttpRequest

    from alerting.following import Stored
    from alerting.source import MetricSource
    from alerting.status import Status

__all__ = ["Authenticate", "ChangeableSettings", "Judge", "KeptSettings", "Site"]

EXPIRY: Final = 86_400.0

Authenticate: TypeAlias = "Callable[[HttpRequest], object]"
Judge: TypeAlias = "Callable[[Mapping[str, object], Mapping[str, object]], None]"


class KeptSettings(Protocol):
    """What people have changed, and who; raises `django.db.Error` without the database."""

    def stored(self) -> Stored:
        """Return the changes in force."""
        ...

    def change(
        self,
        asked: Mapping[str, object],
        *,
        judge: Judge,
        user: AbstractBaseUser,
        now: datetime,
    ) -> object:
        """Keep and audit changes, unless `judge` raises; null takes one back."""
        ...

    def audit(self, *, limit: int, offset: int) -> tuple[list[dict[str, Any]], int]:
        """Return who changed what, newest first, and how many changes there are."""
        ...


@dataclass(frozen=True)
class ChangeableSettings:
    """Settings that can be changed at run time, and who may read and change them.

    A change that is never the first among several raises `contended`.
    """

    kept: KeptSettings
    may_read: Sequence[Authenticate]
    may_change: Sequence[Authenticate]
    contended: type[Exception]


@dataclass(frozen=True)
class Site:
    """Who may come in, and where figures are read.

    `status` returns what the evaluator has published, `source` what rules read; `around`
    is entered around what the API does for itself, so that it is not measured; `ask` calls
    a condition in code; `inbox` keeps what others post who know one of the `secrets`, None
    where nobody may post; without `settings` there is no endpoint for them.
    """

    auth: Sequence[Authenticate]
    status: Callable[[float], Status]
    source: Callable[[], MetricSource]
    version: str
    around: Callable[[], AbstractContextManager[object]] = nullcontext
    ask: Ask = CodeRule.holds
    inbox: Callable[[], Inbox] = lambda: Inbox("", EXPIRY)
    secrets: Callable[[], Secrets | None] = lambda: OPEN
    settings: ChangeableSettings | None = None
