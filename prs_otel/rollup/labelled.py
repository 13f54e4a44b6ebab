"""Figures of a process that are about a part of it, under one key each: a name with labels."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prs_otel.rollup.series import Labels


def key(name: str, *labels: str) -> str:
    """Return the key of the figure ``name`` of the part that has these labels."""
    return json.dumps([name, *labels], separators=(",", ":"))


def parts(figures: Mapping[str, float], name: str) -> dict[Labels, float]:
    """Return the figure ``name`` of every part, by its labels."""
    prefix = f"{json.dumps([name])[:-1]},"
    return {
        tuple(json.loads(each)[1:]): value
        for each, value in figures.items()
        if each.startswith(prefix)
    }
