"""What a channel sends: one or more notices of one kind, to the same recipients."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from alerting.alert import Kind
from alerting.notifications.behind import behind
from alerting.notifications.figures import clock, figure, lasting
from alerting.notifications.silencing import PATH, silence_request

if TYPE_CHECKING:
    from alerting.notice import Notice

__all__ = ["Message", "line", "subject", "text"]

SUBJECT_LIMIT: Final = 180
# A digest of a storm names the worst and counts the rest.
SHOWN_LIMIT: Final = 20
VALUE_LIMIT: Final = 2_000  # characters of any one thing that is known of an alert
RULE: Final = "-" * 60
_CHANGES: Final = frozenset({Kind.ESCALATED, Kind.DEESCALATED})


@dataclass(frozen=True, slots=True)
class Message:
    """A message on its way; `notices` are of one kind: all resolutions, or none.

    `batch` is the same at every attempt, also in another process.
    """

    batch: str
    notices: tuple[Notice, ...]
    recipients: tuple[str, ...] = ()
    is_digest: bool = False
    project: str = ""

    @property
    def key(self) -> str:
        """An idempotency key: the same for every attempt at this message."""
        return hashlib.sha256(self.batch.encode()).hexdigest()[:32]

    @property
    def is_resolution(self) -> bool:
        """Tell whether it says that alerts are over."""
        return all(notice.kind is Kind.RESOLVED for notice in self.notices)

    @property
    def worst_first(self) -> list[Notice]:
        """All notices, the worst first."""
        return sorted(self.notices, key=lambda n: (-n.severity.rank, n.at))

    @property
    def shown(self) -> tuple[Notice, ...]:
        """The notices to spell out, the worst first."""
        return tuple(self.worst_first[:SHOWN_LIMIT])


def subject(message: Message) -> str:
    """Return one line that names the rules; "resolved" in resolutions only."""
    names = list(dict.fromkeys(notice.name for notice in message.shown))
    listed = ", ".join(names)
    if message.is_resolution:
        what = f"resolved: {listed}"
    else:
        what = f"{message.shown[0].severity}: {listed}"
    count = len(message.notices)
    if count > 1:
        what = f"{what} ({count} alerts)"
    prefix = f"[{message.project}] " if message.project else ""
    return plain(f"{prefix}{what}")[:SUBJECT_LIMIT]


def plain(value: str) -> str:
    """Return `value` on one line without control characters: no header can follow it."""
    # A word at a time: to look at every character takes milliseconds where texts are huge.
    words = (word if word.isprintable() else _printable(word) for word in value.split())
    return " ".join(" ".join(words).split())


def _printable(word: str) -> str:
    return "".join(c if c.isprintable() else " " for c in word)


def text(message: Message) -> str:
    """Return the whole message as plain text."""
    parts = ["\n".join(paragraph(notice)) for notice in message.shown]
    hidden = len(message.notices) - len(message.shown)
    if hidden:
        parts.append(f"… and {hidden} more: see the alert history.")
    if message.is_digest:
        parts.insert(
            0, f"{len(message.notices)} alerts in one digest, the worst first."
        )
    return f"\n\n{RULE}\n\n".join(parts) + "\n"


def line(notice: Notice) -> str:
    """Return a notice in one line."""
    state = "resolved" if notice.kind is Kind.RESOLVED else notice.kind.value
    return plain(f"{notice.name} {state} ({notice.severity}): {notice.message}")


def paragraph(notice: Notice) -> list[str]:
    """Return a notice in full: what, how bad, how long, and what stands behind it."""
    is_over = notice.kind is Kind.RESOLVED
    state = "resolved" if is_over else f"{notice.severity} ({notice.kind})"
    lines = [f"{plain(notice.name)}: {state}", brief(notice.message), ""]
    lines += [f"{name + ':':<11} {value}" for name, value in facts(notice)]
    return lines


def facts(notice: Notice) -> Iterator[tuple[str, str]]:
    """Yield what is known of a notice as names and one-line values of bounded length."""
    # Only here is a value made plain: what is huge is cut before that.
    for name, value in _facts(notice):
        yield name, brief(value)


def brief(value: str) -> str:
    """Return `value` on one line, without what is too long of it."""
    text = plain(value[: 2 * VALUE_LIMIT])
    return text if len(text) <= VALUE_LIMIT else f"{text[:VALUE_LIMIT]}…"


def _facts(notice: Notice) -> Iterator[tuple[str, str]]:
    if notice.metric:
        yield "value", _against(notice)
    yield "since", f"{clock(notice.started_at)}{_lasting(notice)}"
    if notice.previous_severity and notice.kind in _CHANGES:
        yield "before", notice.previous_severity.value
    if notice.kind is Kind.RESOLVED:
        yield "fired", clock(notice.fired_at)
        yield "resolved", clock(notice.at)
    for name, value in notice.all_labels.items():
        yield "label", f"{name} = {value}"
    yield from behind(notice.evidence)
    yield from _to_do(notice)
    yield "alert", notice.alert_id


def _to_do(notice: Notice) -> Iterator[tuple[str, str]]:
    for name, value in notice.annotations.items():
        if name != "summary":
            yield brief(name), value
    if notice.runbook_url:
        yield "runbook", notice.runbook_url
    if request := silence_request(notice):
        yield "silence", f"POST {PATH} {json.dumps(request, ensure_ascii=False)}"


def _against(notice: Notice) -> str:
    word, metric = notice.aggregation, notice.metric
    what = f"{word}({metric})" if word else metric
    value = figure(notice.value, metric, word)
    window = f" over {lasting(notice.window)}" if notice.window else ""
    if notice.threshold is None:
        return f"{what} = {value}{window}"
    limit = figure(notice.threshold, metric, word)
    return f"{what} = {value}, threshold {notice.operator} {limit}{window}"


def _lasting(notice: Notice) -> str:
    seconds = notice.at - notice.started_at
    return f" (for {lasting(seconds)})" if seconds >= 1 else ""
