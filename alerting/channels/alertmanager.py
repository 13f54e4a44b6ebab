"""Push to Alertmanager by its API v2, as Prometheus does.

Alertmanager has no memory of how long something fires: an alert ends at its `endsAt`
unless it is pushed again before. Severity is a label, and labels are an alert's
identity there: one that gets worse ends as what it was and begins as what it is.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BeforeValidator, Field

from alerting.alert import Kind
from alerting.channels.base import NO_TIME, SEND_SECONDS, DeliveryError
from alerting.channels.http import TIMEOUT, Http, Post
from alerting.channels.options import HttpAddresses, Options, Seconds, Write
from alerting.notifications.message import facts
from alerting.rules.duration import parse_duration
from alerting.text import clean
from alerting.times import utc

if TYPE_CHECKING:
    from alerting.channels.address import Address
    from alerting.notice import Notice
    from alerting.notifications.message import Message
    from alerting.rules import Severity

__all__ = ["AlertmanagerChannel", "AlertmanagerOptions"]

PATH: Final = "/api/v2/alerts"
CHUNK: Final = 200  # alerts in one request
TEXT_LIMIT: Final = 1_000  # characters of an annotation or a label's value
# What is missed so often in a row ends; Prometheus allows for as many.
MISSED_LIMIT: Final = 4
_UNFIT: Final = re.compile(r"[^a-zA-Z0-9_]")
EVIDENCE_LIMIT: Final = 4_000  # characters of all that stands behind an alert
LINE_LIMIT: Final = 300  # characters of each thing of it
# The rest has fields of its own.
_EVIDENCE: Final = frozenset(
    {"value", "since", "also", "top", "tenant", "code", "trace", "metric", "link"}
)


class AlertmanagerOptions(Options):
    """Where one Alertmanager is, or each of a cluster."""

    url: HttpAddresses
    labels: Annotated[
        dict[str, str], Write("a dictionary of labels, such as {'team': 'shop'}")
    ] = {}
    generator_url: Annotated[
        str, Field(pattern="^(https?://.*)?$"), Write("the address of your site")
    ] = ""
    resend_every: Annotated[
        float,
        BeforeValidator(parse_duration),
        Field(ge=1, le=3600),
        Write("a duration from '1s' to '1h', below Alertmanager's resolve_timeout"),
    ] = 60.0
    timeout: Seconds = TIMEOUT


@dataclass(frozen=True, slots=True)
class _Push:
    """One alert as Alertmanager is to see it: of which severity, and until when."""

    notice: Notice
    severity: Severity
    ends_at: float


class AlertmanagerChannel:
    """Every Alertmanager of one cluster; each is told by itself."""

    Options = AlertmanagerOptions

    def __init__(
        self,
        name: str,
        options: AlertmanagerOptions,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.resend_every = options.resend_every
        self._options = options
        self._clock = clock
        # One each: an Alertmanager that hangs keeps nobody from the others.
        self._https = {
            address: Http(timeout=options.timeout, clock=clock)
            for address in options.url
        }
        # As what each open alert was pushed. A successor learns it when it resends.
        self._pushed: dict[str, Severity] = {}

    def unavailable(self) -> str:
        """Return "": whether it is there is found out when it is used."""
        return ""

    def recipients(self) -> tuple[str, ...]:
        """Return scheme, host and port of each Alertmanager."""
        return tuple(address.origin for address in self._options.url)

    def send(self, message: Message) -> tuple[str, ...]:
        """Push alarms or their end to those of `message.recipients`."""
        pushes = [p for n in message.worst_first for p in self._pushes(n)]
        asked = [a for a in self._options.url if a.origin in message.recipients]
        if not asked:
            # They were told what fires, and are not configured any more.
            return message.recipients
        self._push(asked, pushes)
        self._note(message.notices)
        return tuple(address.origin for address in asked)

    def resend(self, notices: Sequence[Notice]) -> None:
        """Push what still fires once more, before Alertmanager takes it for resolved."""
        until = self._clock() + MISSED_LIMIT * self.resend_every
        self._pushed = {n.alert_id: n.severity for n in notices}
        self._push(self._options.url, [_Push(n, n.severity, until) for n in notices])

    def _pushes(self, notice: Notice) -> Iterator[_Push]:
        before = self._pushed.get(notice.alert_id, notice.previous_severity)
        if notice.kind is Kind.RESOLVED:
            told = self._pushed.get(notice.alert_id, notice.severity)
            yield _Push(notice, told, notice.at)
            return
        if before is not None and before is not notice.severity:
            yield _Push(notice, before, notice.at)
        until = self._clock() + MISSED_LIMIT * self.resend_every
        yield _Push(notice, notice.severity, until)

    def _note(self, notices: Iterable[Notice]) -> None:
        for notice in notices:
            if notice.kind is Kind.RESOLVED:
                self._pushed.pop(notice.alert_id, None)
            else:
                self._pushed[notice.alert_id] = notice.severity

    def _push(self, addresses: Iterable[Address], pushes: Sequence[_Push]) -> None:
        accepted: list[str] = []
        failures: list[DeliveryError] = []
        bodies = [_body(part, self._options) for part in _chunks(pushes)]
        until = self._clock() + SEND_SECONDS
        for address in addresses:
            try:
                for body in bodies:
                    self._post(address, body, until)
            except DeliveryError as error:
                failures.append(error)
            else:
                accepted.append(address.origin)
        if failures:
            waits = [f.retry_after for f in failures if f.retry_after is not None]
            raise DeliveryError(
                "; ".join(map(str, failures)),
                permanent=all(failure.permanent for failure in failures),
                retry_after=max(waits, default=None),
                accepted=tuple(accepted),
            )

    def _post(self, address: Address, body: bytes, until: float) -> None:
        if self._clock() > until:
            raise DeliveryError(f"{address} {NO_TIME}")
        self._https[address].send(address.under(PATH), Post(body, _JSON))


_JSON: Final = {"Content-Type": "application/json"}


def _chunks(pushes: Sequence[_Push]) -> Iterator[list[_Push]]:
    rest = iter(pushes)
    while part := list(islice(rest, CHUNK)):
        yield part


def _body(pushes: Iterable[_Push], options: AlertmanagerOptions) -> bytes:
    document = [_alert(push, options) for push in pushes]
    return json.dumps(document, ensure_ascii=False).encode()


def _alert(push: _Push, options: AlertmanagerOptions) -> dict[str, Any]:
    notice = push.notice
    own = {"alertname": notice.name, "severity": push.severity.value}
    return {
        "labels": _labels({**options.labels, **notice.all_labels, **own}),
        "annotations": _annotations(notice),
        "startsAt": utc(notice.fired_at).isoformat(),
        "endsAt": utc(max(push.ends_at, notice.fired_at)).isoformat(),
        "generatorURL": options.generator_url,
    }


def _labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Return labels with names that any Alertmanager takes; an empty one is none."""
    return {_name(k): _short(v) for k, v in labels.items() if v}


def _annotations(notice: Notice) -> dict[str, str]:
    known = list(facts(notice))
    behind = [f"{what}: {text}" for what, text in known if what in _EVIDENCE]
    found = {
        **notice.annotations,
        "summary": notice.message,
        "silence": dict(known).get("silence", ""),
        "runbook_url": notice.runbook_url or "",
        "alert_id": notice.alert_id,
    }
    if notice.value is not None and math.isfinite(notice.value):
        found["value"] = f"{notice.value:g}"
    lines = "\n".join(line[:LINE_LIMIT] for line in behind)
    return {**_labels(found), "evidence": clean(lines[:EVIDENCE_LIMIT])}


def _name(text: str) -> str:
    name = _UNFIT.sub("_", text)
    return f"_{name}" if name[:1].isdigit() or not name else name


def _short(text: str) -> str:
    return clean(text[:TEXT_LIMIT])
