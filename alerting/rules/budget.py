"""Give conditions in code a limited time to answer.

A thread cannot be stopped: a condition that hangs keeps its own thread, is not asked
again before it has come back, and holds up nobody else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from alerting.rules.code import CodeRule

__all__ = ["TimeBudget"]

SECONDS: Final = 5.0


@dataclass
class _Answer:
    """What a condition said, once it has."""

    holds: bool = False
    error: BaseException | None = None
    is_given: threading.Event = field(default_factory=threading.Event)


class TimeBudget:
    """Asks each condition in a thread of its own, inside `around()`."""

    def __init__(
        self,
        seconds: float = SECONDS,
        around: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._seconds = seconds
        self._around = around
        self._hanging: dict[str, _Answer] = {}

    def __call__(self, rule: CodeRule, metrics: Mapping[str, float]) -> bool:
        """Return whether the condition holds; raise what it raised, or `TimeoutError`."""
        before = self._hanging.get(rule.name)
        if before is not None and not before.is_given.is_set():
            raise TimeoutError("the condition has not come back from an earlier call")
        answer = _Answer()
        self._hanging[rule.name] = answer
        threading.Thread(
            target=self._ask,
            args=(rule, metrics, answer),
            name=f"alerting-condition-{rule.name}",
            daemon=True,
        ).start()
        if not answer.is_given.wait(self._seconds):
            raise TimeoutError(f"the condition took more than {self._seconds:g} s")
        del self._hanging[rule.name]
        if isinstance(answer.error, Exception):
            raise answer.error
        if answer.error is not None:
            # `sys.exit()` in a condition must end neither the thread nor the evaluator.
            raise RuntimeError(f"the condition raised {answer.error!r}")
        return answer.holds

    def _ask(
        self, rule: CodeRule, metrics: Mapping[str, float], answer: _Answer
    ) -> None:
        try:
            with self._around():
                answer.holds = rule.holds(metrics)
        except BaseException as error:  # noqa: BLE001 - raised again by who asked
            answer.error = error
        finally:
            answer.is_given.set()
