"""Text from elsewhere, made fit for any database, mail server and log."""

from __future__ import annotations

import re
from typing import Any, Final

__all__ = ["ERROR_LIMIT", "clean", "cleaned", "described"]

ERROR_LIMIT: Final = 500  # characters of an error that a status repeats
# PostgreSQL stores neither, and half a surrogate pair has no encoding at all.
UNFIT: Final = re.compile("[\x00\ud800-\udfff]")


def clean(text: str) -> str:
    """Return `text` without what cannot be stored or sent."""
    return UNFIT.sub("\N{REPLACEMENT CHARACTER}", text)


def cleaned(document: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a JSON document with every text in it clean."""
    if isinstance(document, str):
        return clean(document)
    if isinstance(document, list):
        return [cleaned(item) for item in document]
    if isinstance(document, dict):
        return {clean(key): cleaned(item) for key, item in document.items()}
    return document


def described(error: BaseException) -> str:
    """Return `error` in one short line."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return clean(text[:ERROR_LIMIT])
