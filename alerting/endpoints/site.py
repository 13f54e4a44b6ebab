"""What the API needs of the site it is mounted in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from alerting.readings import Ask
from alerting.rules import CodeRule

if TYPE_CHECKING:
    from django.http import HttpRequest

    from alerting.source import MetricSource
    from alerting.status import Status

__all__ = ["Authenticate", "Site"]

Authenticate: TypeAlias = "Callable[[HttpRequest], object]"


@dataclass(frozen=True)
class Site:
    """Who may come in, and where figures are read.

    `status` returns what the evaluator has published, `source` what rules read; `around`
    is entered around what the API does for itself, so that it is not measured; `ask` calls
    a condition in code.
    """

    auth: Sequence[Authenticate]
    status: Callable[[float], Status]
    source: Callable[[], MetricSource]
    version: str
    around: Callable[[], AbstractContextManager[object]] = nullcontext
    ask: Ask = CodeRule.holds
