"""The settings changed at run time, as the store hands them from one process to all others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from prs_otel.store.base import Store

DOCUMENT: Final = "configuration"
"""The key under which the store has the latest of them."""


@dataclass(frozen=True, slots=True)
class Changed:
    """Every key that is not as the settings file says, with JSON values; `revision` grows with each change."""

    revision: int = 0
    changes: Mapping[str, Any] = field(default_factory=dict)


NOTHING: Final = Changed()


def distribute(store: Store, changed: Changed) -> None:
    """Hand `changed` to every process of the store. Raises `StoreError`."""
    document = {"revision": changed.revision, "changes": dict(changed.changes)}
    store.put(DOCUMENT, json.dumps(document, sort_keys=True).encode())


def distributed(store: Store) -> Changed | None:
    """Return what was handed out last, None where that is lost. Raises `StoreError`."""
    document = store.get(DOCUMENT)
    return None if document is None else _decoded(document)


def _decoded(document: bytes) -> Changed | None:
    try:
        found: Any = json.loads(document)
        return Changed(int(found["revision"]), dict(found["changes"]))
    except (ValueError, TypeError, KeyError):
        return None
