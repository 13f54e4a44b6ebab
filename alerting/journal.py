"""Where alerting keeps small documents when it cannot, or need not, use the database."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeVar

__all__ = ["Journal", "MemoryJournal", "SteadyJournal", "UntouchedJournal"]

logger = logging.getLogger("prs_otel")

T = TypeVar("T")


class Journal(Protocol):
    """A table of documents by key. Any method may raise."""

    def put(self, key: str, value: bytes) -> None:
        """Keep `value` under `key`, in place of what was there."""
        ...

    def get(self, key: str) -> bytes | None:
        """Return what is under `key`."""
        ...

    def keys(self, prefix: str) -> Sequence[str]:
        """Return the keys that begin with `prefix`, in any order."""
        ...

    def delete(self, key: str) -> None:
        """Forget what is under `key`, if anything."""
        ...


class MemoryJournal:
    """A journal that lives as long as its process."""

    def __init__(self) -> None:
        self._documents: dict[str, bytes] = {}

    def put(self, key: str, value: bytes) -> None:
        """Keep `value` under `key`."""
        self._documents[key] = value

    def get(self, key: str) -> bytes | None:
        """Return what is under `key`."""
        return self._documents.get(key)

    def keys(self, prefix: str) -> list[str]:
        """Return the keys that begin with `prefix`."""
        return sorted(key for key in list(self._documents) if key.startswith(prefix))

    def delete(self, key: str) -> None:
        """Forget what is under `key`."""
        self._documents.pop(key, None)


class UntouchedJournal(MemoryJournal):
    """A journal over another that is read and never written; what is put here stays here."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._below = journal
        self._deleted: set[str] = set()

    def put(self, key: str, value: bytes) -> None:
        """Keep `value` under `key`, here alone."""
        self._deleted.discard(key)
        super().put(key, value)

    def get(self, key: str) -> bytes | None:
        """Return what is under `key`, here or below."""
        own = super().get(key)
        if own is not None or key in self._deleted:
            return own
        return self._below.get(key)

    def keys(self, prefix: str) -> list[str]:
        """Return the keys that begin with `prefix`, of both."""
        below = set(self._below.keys(prefix)) - self._deleted
        return sorted({*super().keys(prefix), *below})

    def delete(self, key: str) -> None:
        """Forget what is under `key`; it stays below."""
        self._deleted.add(key)
        super().delete(key)


class SteadyJournal:
    """A journal whose failures are remembered instead of raised.

    Evaluation must go on without it: what it would have kept is then lost only if this
    process ends, too.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.last_error: str = ""

    def put(self, key: str, value: bytes) -> None:
        """Keep `value` under `key`, if that is possible."""
        self._try(lambda: self._journal.put(key, value), None)

    def get(self, key: str) -> bytes | None:
        """Return what is under `key`, None also when it cannot be read."""
        return self._try(lambda: self._journal.get(key), None)

    def keys(self, prefix: str) -> Sequence[str]:
        """Return the keys that begin with `prefix`, none when they cannot be read."""
        return self._try(lambda: self._journal.keys(prefix), _NOTHING)

    def delete(self, key: str) -> None:
        """Forget what is under `key`, if that is possible."""
        self._try(lambda: self._journal.delete(key), None)

    def _try(self, action: Callable[[], T], otherwise: T) -> T:
        try:
            result = action()
        except Exception as error:  # noqa: BLE001 - any store may be behind it
            if not self.last_error:
                logger.warning("the alerting journal cannot be used: %s", error)
            self.last_error = f"{type(error).__name__}: {error}"
            return otherwise
        self.last_error = ""
        return result


_NOTHING: Final[Sequence[str]] = ()
