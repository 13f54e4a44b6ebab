"""Which alerts are meant: matchers of labels, as silences, inhibitions and routes have them.

Patterns have `*` and `?` and no more. A regular expression from outside could keep an evaluator
busy for ever.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import translate
from functools import lru_cache
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

__all__ = ["Matcher", "Matchers", "all_match", "shown"]

MATCHERS_LIMIT: Final = 20

Operator = Literal["=", "!=", "~", "!~"]


class Matcher(BaseModel):
    """One condition on one label; a label that is not there is the empty text.

    `~` is a pattern in which `*` stands for any text and `?` for any character.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[
        str, StringConstraints(pattern=r"^[A-Za-z_][\w.]*$", max_length=200)
    ]
    operator: Operator = "="
    value: Annotated[str, StringConstraints(max_length=500)]

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether the label is as it should be."""
        value = labels.get(self.name, "")
        if self.operator in ("=", "!="):
            return (value == self.value) is (self.operator == "=")
        is_like = _pattern(self.value).fullmatch(value) is not None
        return is_like is (self.operator == "~")

    def __str__(self) -> str:
        return f'{self.name}{self.operator}"{self.value}"'


def _spelled_out(value: object) -> object:
    """Take `{"alertname": "high_cpu_usage"}` for the list of its pairs."""
    if isinstance(value, Mapping) and not {"name", "value"} <= value.keys():
        return [{"name": name, "value": wanted} for name, wanted in value.items()]
    return value


Matchers = Annotated[
    tuple[Matcher, ...],
    BeforeValidator(_spelled_out),
    Field(min_length=1, max_length=MATCHERS_LIMIT),
]


def all_match(matchers: Sequence[Matcher], labels: Mapping[str, str]) -> bool:
    """Tell whether every one of `matchers` does."""
    return all(matcher.matches(labels) for matcher in matchers)


def shown(matchers: Sequence[Matcher]) -> str:
    """Return matchers as people read them."""
    return ", ".join(map(str, matchers))


@lru_cache(maxsize=1_000)
def _pattern(text: str) -> re.Pattern[str]:
    # Of fnmatch's own letters only these two; a bracket is a bracket.
    return re.compile(translate(text.replace("[", "[[]")))
