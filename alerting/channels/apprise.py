"""Tell through apprise: Slack, Teams, PagerDuty and whatever else it speaks to.

It is imported when the first message is sent, in the process that sends: it takes tens
of megabytes. It says neither why it failed nor whether that may pass, so that every
failure is tried again.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any, Final

from opentelemetry.instrumentation.utils import suppress_instrumentation
from pydantic import BeforeValidator, Field, SecretStr

from alerting.channels.base import NO_TIME, SEND_SECONDS, DeliveryError
from alerting.channels.deadline import Deadline
from alerting.channels.options import Options, Write, tupled
from alerting.notifications.message import subject, text
from alerting.rules import Severity
from alerting.text import clean

if TYPE_CHECKING:
    from alerting.notifications.message import Message

__all__ = ["AppriseChannel", "AppriseOptions"]

TIMEOUT: Final = 30.0  # seconds for one address; some services take several requests
TEXT_LIMIT: Final = 8_000  # characters; apprise shortens further for some services
MISSING: Final = "apprise is not installed; run pip install 'prs-otel[notify]'"

_TYPES: Final = {
    Severity.INFO: "info",
    Severity.WARNING: "warning",
    Severity.ERROR: "failure",
    Severity.CRITICAL: "failure",
}
_SCHEME: Final = re.compile(r"([a-z][a-z0-9]*)://\S", re.IGNORECASE)
# Both write addresses with their tokens into the log when it is detailed.
_TALKATIVE: Final = ("apprise", "urllib3.connectionpool")
_is_quiet: ContextVar[bool] = ContextVar("prs_alerting_quiet", default=False)


def _urls(value: object) -> object:
    found = [each for each in tupled(value) if isinstance(each, str)]
    if found != list(tupled(value)) or not all(map(_SCHEME.match, found)):
        raise ValueError("no address")
    return tuple(map(SecretStr, found))


class AppriseOptions(Options):
    """The addresses, in apprise's own form."""

    url: Annotated[
        tuple[SecretStr, ...],
        BeforeValidator(_urls),
        Field(min_length=1, max_length=20),
        Write("an apprise address such as 'slack://…', or a list of them"),
    ]


class AppriseChannel:
    """Some addresses, each told by itself and shown as its scheme and number."""

    Options = AppriseOptions

    def __init__(
        self,
        name: str,
        options: AppriseOptions,
        *,
        timeout: float = TIMEOUT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._clock = clock
        self._timeout = timeout
        self._urls: Mapping[str, SecretStr] = dict(_named(options))
        self._deadlines = {each: Deadline(each) for each in self._urls}

    def unavailable(self) -> str:
        """Say so when apprise is not there."""
        return "" if find_spec("apprise") else MISSING

    def recipients(self) -> tuple[str, ...]:
        """Return what the addresses are called here: "slack:1"."""
        return tuple(self._urls)

    def send(self, message: Message) -> tuple[str, ...]:
        """Send to each of `message.recipients`; raise `DeliveryError` with who failed."""
        if reason := self.unavailable():
            raise DeliveryError(reason)
        asked = [each for each in message.recipients if each in self._urls]
        until = self._clock() + SEND_SECONDS
        failures = {
            each: why
            for each in asked
            if (why := self._failure(each, message, until=until))
        }
        if failures:
            raise DeliveryError(
                "; ".join(f"{who} {why}" for who, why in failures.items()),
                accepted=tuple(each for each in asked if each not in failures),
            )
        return message.recipients

    def _failure(self, recipient: str, message: Message, *, until: float) -> str:
        """Send to one address, and return why that failed, "" if it did not."""
        if self._clock() > until:
            return NO_TIME
        url = self._urls[recipient].get_secret_value()
        try:
            return self._deadlines[recipient].call(
                lambda: _notify(url, message), seconds=self._timeout
            )
        except TimeoutError:
            return f"did not answer within {self._timeout:g} s"
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything
            return f"raised {type(error).__name__}"


def _notify(url: str, message: Message) -> str:
    import apprise

    kind = "success" if message.is_resolution else _TYPES[message.shown[0].severity]
    # Messages are text, never a template or with escapes; services run in this thread.
    asset = apprise.AppriseAsset(async_mode=False, secure_logging=True)
    with _quiet(), suppress_instrumentation():
        service = apprise.Apprise(asset=asset)
        if not service.add(url):
            return "is no address that apprise understands"
        is_sent = service.notify(
            title=clean(subject(message)),
            body=clean(text(message)[:TEXT_LIMIT]),
            notify_type=apprise.NotifyType(kind),
            body_format=apprise.NotifyFormat.TEXT,
        )
    return "" if is_sent else "did not take it"


def _named(options: AppriseOptions) -> Iterator[tuple[str, SecretStr]]:
    for number, url in enumerate(options.url, start=1):
        scheme = url.get_secret_value().partition("://")[0].lower()
        yield f"{scheme}:{number}", url


@contextmanager
def _quiet() -> Iterator[None]:
    """Log nothing of what apprise does for us; what others do with it stays logged."""
    for name in _TALKATIVE:
        # Adding the same filter again changes nothing.
        logging.getLogger(name).addFilter(_is_not_ours)
    token = _is_quiet.set(True)
    try:
        yield
    finally:
        _is_quiet.reset(token)


def _is_not_ours(record: Any) -> bool:  # noqa: ANN401 - logging does not look at it
    return not _is_quiet.get()
