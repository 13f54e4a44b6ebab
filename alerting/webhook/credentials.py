"""Who may post: secrets by source, and the two ways to prove that one knows one.

A request either carries the secret itself as a bearer token, or is signed: HMAC-SHA256
over its time and its raw body. What is signed is good for five minutes, and once.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

__all__ = ["OPEN", "TOLERANCE", "Claim", "Secrets", "signature"]

TOLERANCE: Final = 300.0  # seconds that the clocks of both sides may differ
SECRETS_EACH: Final = 2
SOURCES_LIMIT: Final = 100
NAME_LIMIT: Final = 50
_DIGITS: Final = 18
_SCHEME: Final = "bearer"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says of itself. `source` is "" when it does not name any."""

    authorization: str = ""
    timestamp: str = ""
    signature: str = ""
    grafana_signature: str = ""
    source: str = ""

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing that could prove anything."""
        return not (self.authorization or self.signature or self.grafana_signature)

    @property
    def given(self) -> str:
        """The signature, in hex digits, "" without one."""
        return self.signature.removeprefix("v1=") or self.grafana_signature


@dataclass(frozen=True, slots=True)
class Secrets:
    """The active secrets of each source; the source "" is whoever posts."""

    by_source: Mapping[str, tuple[SecretStr, ...]]

    @classmethod
    def of(cls, value: object) -> Secrets:
        """Read what a setting may say; raises `ValueError` without repeating it."""
        named = value if isinstance(value, Mapping) else {"": value}
        if not 1 <= len(named) <= SOURCES_LIMIT:
            raise ValueError("there are no sources, or too many")
        found = {_source(name, named): _each(each) for name, each in named.items()}
        if isinstance(value, Mapping) and not all(found.values()):
            # Meant to be closed, it would be open.
            raise ValueError("a source needs a secret")
        return cls(found)

    @property
    def are_set(self) -> bool:
        """Tell whether there is any secret at all."""
        return any(self.by_source.values())

    def bearer(self, claim: Claim) -> str | None:
        """Return the source whose token the request carries, None if it is no one's."""
        scheme, _, token = claim.authorization.partition(" ")
        if scheme.lower() != _SCHEME:
            return None
        return self._matching(claim, lambda secret: secret, token.strip())

    def signer(self, claim: Claim, body: bytes, *, now: float) -> str | None:
        """Return the source that has signed `body` within the last minutes, or None."""
        if not (claim.given and is_timely(claim.timestamp, now)):
            return None
        separator = b"." if claim.signature else b":"

        def signed(secret: str) -> str:
            return signature(secret, claim.timestamp, body, separator=separator)

        return self._matching(claim, signed, claim.given.lower())

    def _matching(
        self, claim: Claim, proof: Callable[[str], str], given: str
    ) -> str | None:
        found = None
        for source, secret in self._asked(claim):
            # All are compared, so that the time it takes tells nothing of any.
            if hmac.compare_digest(proof(secret).encode(), given.encode()):
                found = source
        return found

    def _asked(self, claim: Claim) -> Iterator[tuple[str, str]]:
        for source, secrets in self.by_source.items():
            if source and claim.source not in {"", source}:
                continue
            for secret in secrets:
                yield source, secret.get_secret_value()


def signature(
    secret: str, timestamp: str, body: bytes, *, separator: bytes = b"."
) -> str:
    """Return the HMAC-SHA256 of timestamp, separator and raw body, as hex digits."""
    signed = timestamp.encode() + separator + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def is_timely(timestamp: str, now: float) -> bool:
    """Tell whether a request was signed within `TOLERANCE` of `now` (Unix seconds)."""
    if not (
        timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= _DIGITS
    ):
        return False
    return abs(now - int(timestamp)) <= TOLERANCE


def _source(name: object, named: Mapping[object, object]) -> str:
    is_short = isinstance(name, str) and len(name) <= NAME_LIMIT
    if not (is_short and str(name).isprintable() and (name or len(named) == 1)):
        raise ValueError("a source has a short name")
    return str(name)


def _each(value: object) -> tuple[SecretStr, ...]:
    secrets = value if isinstance(value, list | tuple) else [value]
    if not 1 <= len(secrets) <= SECRETS_EACH:
        raise ValueError("write one secret, or two while you change it")
    return tuple(SecretStr(_text(secret)) for secret in secrets if _text(secret))


def _text(secret: object) -> str:
    if isinstance(secret, SecretStr):
        return secret.get_secret_value()
    if not isinstance(secret, str):
        raise ValueError("a secret is a string")  # noqa: TRY004 - pydantic wants it
    return secret


OPEN: Final = Secrets({})
"""Whoever reaches the webhook may post."""
