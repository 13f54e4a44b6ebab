"""Post something, and judge the answer: taken, refused for good, or worth another attempt.

Redirects are not followed: nobody but the configured host gets what is posted. Of an
answer only status and `Retry-After` are used, of an error only its kind: neither can
carry a secret into a log.
"""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final
from urllib import request as urllib_request
from urllib.error import URLError

from opentelemetry.instrumentation.utils import suppress_instrumentation

from alerting.channels.base import DeliveryError
from alerting.channels.deadline import Deadline

if TYPE_CHECKING:
    from alerting.channels.address import Address

__all__ = ["TIMEOUT", "Answer", "Http", "Post", "judge"]

TIMEOUT: Final = 10.0  # seconds for everything, from the name's look-up to the answer
LONGEST_WAIT: Final = 3600.0  # seconds of a Retry-After that are believed
AGENT: Final = "prs-otel-alerting"
# Read, so that the receiver can finish; nobody looks at it.
_BODY_LIMIT: Final = 4_096
_PASSING: Final = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Post:
    """What to post. None of it is shown."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False, default_factory=dict)
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Answer:
    """What matters of an answer."""

    status: int
    retry_after: str = ""


class Http:
    """Sends requests, one at a time. `clock` tells the date that `Retry-After` is in."""

    def __init__(
        self, *, timeout: float = TIMEOUT, clock: Callable[[], float] = time.time
    ) -> None:
        self._timeout = timeout
        self._clock = clock
        self._deadline = Deadline("the receiver")

    def send(self, address: Address, post: Post) -> None:
        """Send a request; raise `DeliveryError` unless the receiver has taken it."""
        try:
            answer = self._deadline.call(
                lambda: _exchange(address, post, self._timeout), seconds=self._timeout
            )
        except Exception as error:  # noqa: BLE001 - a look-up and TLS raise many things
            raise DeliveryError(f"{address}: {_why(error, self._timeout)}") from None
        judge(answer, address.origin, now=self._clock())


def judge(answer: Answer, who: str, *, now: float) -> None:
    """Raise `DeliveryError` unless the answer says that the request was taken."""
    status = answer.status
    if 200 <= status < 300:
        return
    phrase = http.client.responses.get(status, "")
    text = f"{who} answered {status} {phrase}".rstrip()
    if 300 <= status < 400:
        text = f"{text}; a redirect is not followed: write the address it leads to"
    is_passing = status >= 500 or status in _PASSING
    wait = _seconds(answer.retry_after, now) if is_passing else None
    raise DeliveryError(text, permanent=not is_passing, retry_after=wait)


def _exchange(address: Address, post: Post, timeout: float) -> Answer:
    headers = {"User-Agent": AGENT, **post.headers}
    if address.authorization:
        headers["Authorization"] = address.authorization
    request = urllib_request.Request(  # noqa: S310 - an address has one of two schemes
        address.url, data=post.body or None, headers=headers, method=post.method
    )
    # Where the project traces its own requests: ours are none of its business.
    with suppress_instrumentation(), _opener().open(request, timeout=timeout) as answer:
        answer.read(_BODY_LIMIT)
        return Answer(answer.status, answer.headers.get("Retry-After", ""))


def _opener() -> urllib_request.OpenerDirector:
    """Return what opens http and https, through the environment's proxies, and no more."""
    opener = urllib_request.OpenerDirector()
    for handler in (
        urllib_request.ProxyHandler(),
        urllib_request.UnknownHandler(),
        urllib_request.HTTPHandler(),
        urllib_request.HTTPSHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _seconds(value: str, now: float) -> float | None:
    """Return the seconds that a `Retry-After` asks for, None if it says nothing."""
    text = value.strip()
    try:
        if text.isascii() and text.isdigit():
            seconds = float(text)
        else:
            date = parsedate_to_datetime(text)
            # Without a zone it is in UTC, as everything in HTTP.
            date = date if date.tzinfo else date.replace(tzinfo=UTC)
            seconds = date.timestamp() - now
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT)


def _why(error: BaseException, timeout: float) -> str:
    cause: object = error.reason if isinstance(error, URLError) else error
    if not isinstance(cause, BaseException):
        return "no address that can be posted to"
    if isinstance(cause, TimeoutError):
        return f"no answer within {timeout:g} s"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not valid ({cause.verify_message})"
    if isinstance(cause, OSError) and cause.strerror:
        return f"{type(cause).__name__} ({cause.strerror})"
    return type(cause).__name__
