"""Put changes over a settings dictionary, except those that it contradicts.

A change was right when it was made. Where the dictionary has been edited since, only what no
longer fits is left out, and every other change stays in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel

from prs_otel import validation

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Ignored:
    """A change that is not in force, and why."""

    key: str
    value: object
    reason: str


def overlaid(
    model: type[Model],
    written: Mapping[str, object],
    changes: Mapping[str, object],
    *,
    name: str,
) -> tuple[Model, list[Ignored]]:
    """Build `model` from `written`, the value of the setting `name`, with `changes` over it."""
    _, known = validation.load(model, written, name=name)
    kept, ignored = dict(changes), list[Ignored]()
    while True:
        loaded, found = validation.load(model, {**written, **kept}, name=name)
        # Each round takes at least one change away, so the loop ends.
        wrong = [(key, each) for each in found for key in each.keys if key in kept]
        wrong = [(key, each) for key, each in wrong if each not in known]
        if not wrong:
            return loaded, ignored
        for key, problem in wrong:
            if key in kept:
                ignored.append(Ignored(key, kept.pop(key), problem.message))
