"""One round of an evaluator: evaluate, keep and tell, or only say what that would be."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict

from alerting.diagnosis import diagnose
from alerting.notifications.telling import Outcome
from alerting.times import utc

if TYPE_CHECKING:
    from alerting.notice import Notice
    from alerting.notifications.telling import Telling
    from alerting.record import Record
    from alerting.runner import Runner

__all__ = ["Round", "carried_out", "previewed"]

PATIENCE: Final = 60.0  # seconds in which messages are begun to be sent
TRIES: Final = 3
CONTENDED: Final = "Another evaluator was first each time; nothing was kept."


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True)


class Step(_Document):
    """What became of one alert."""

    alert: str
    kind: str
    severity: str
    labels: dict[str, str]
    value: float | None
    threshold: float | None
    message: str


class Told(_Document):
    """One alert on one channel; `reason` says why not, or why not yet."""

    alert: str
    kind: str
    severity: str
    channel: str
    outcome: Outcome
    reason: str


class Round(_Document):
    """What one evaluation found and told; of a dry one, what it would have.

    `firing` counts open alerts by severity as they were kept last.
    """

    is_dry: bool
    evaluated_at: datetime
    rules: int
    firing: dict[str, int]
    alerts: list[Step]
    notifications: list[Told]
    problems: list[str]


def carried_out(
    runner: Runner, *, now: float, clock: Callable[[], float] = time.monotonic
) -> Round:
    """Evaluate once and send all that is due; what takes too long is left to the next round."""
    for _ in range(TRIES):
        runner.tick(now)
        if runner.record is not None:
            break
    waiting = {k for k, t in runner.tellings().items() if t.state is Outcome.DUE}
    deadline = clock() + PATIENCE
    while runner.deliver(goes_on=lambda: clock() < deadline) == 0.0:
        pass
    return _round(runner, runner.record, runner.tellings(), waiting, now=now)


def previewed(runner: Runner, *, now: float) -> Round:
    """Return what a round would do. Nothing is written if the runner's journal is untouched."""
    record = runner.preview(now)
    known = record.applied(runner.tellings(), now=now)
    waiting = {key for key, t in known.items() if t.state is Outcome.DUE}
    return _round(runner, record, known, waiting, now=now, is_dry=True)


def _round(  # noqa: PLR0913 - each is a part of the document
    runner: Runner,
    record: Record | None,
    tellings: dict[str, Telling],
    waiting: Iterable[str],
    *,
    now: float,
    is_dry: bool = False,
) -> Round:
    status = runner.status()
    if status is None:
        raise RuntimeError("a round begins with an evaluation")
    keys = set(waiting)
    if record is not None:
        keys.update(telling.key for telling in record.tellings)
        keys.update(cancelled.key for cancelled in record.cancelled)
    # That something fires is no fault of this round.
    bare = status.model_copy(update={"firing": {}})
    found = diagnose(bare, now=now, workers_since=None)
    return Round(
        is_dry=is_dry,
        evaluated_at=utc(now),
        rules=len(status.rules),
        firing=status.firing,
        alerts=[_step(notice) for notice in record.notices] if record else [],
        notifications=[_told(t) for key, t in tellings.items() if key in keys],
        problems=[
            *([] if record else [CONTENDED]),
            *(problem.message for problem in found),
        ],
    )


def _step(notice: Notice) -> Step:
    return Step(
        alert=notice.name,
        kind=notice.kind.value,
        severity=notice.severity.value,
        labels=notice.all_labels,
        value=notice.value,
        threshold=notice.threshold,
        message=notice.message,
    )


def _told(telling: Telling) -> Told:
    return Told(
        alert=telling.rule,
        kind=telling.kind.value,
        severity=telling.severity.value,
        channel=telling.channel,
        outcome=telling.state,
        reason=telling.last_error or telling.reason,
    )
