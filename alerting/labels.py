"""What tells one alert from another: its rule and its labels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TypeAlias

from alerting.text import clean

__all__ = ["Labels", "fingerprint", "frozen"]

Labels: TypeAlias = tuple[tuple[str, str], ...]


def frozen(labels: Mapping[str, str]) -> Labels:
    """Return `labels` as a hashable value with one order."""
    pairs = ((clean(str(key)), clean(str(value))) for key, value in labels.items())
    return tuple(sorted(pairs))


def fingerprint(rule: str, labels: Labels) -> str:
    """Return the same 32 hex digits for the same rule and labels, in any process."""
    text = json.dumps([rule, labels], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
