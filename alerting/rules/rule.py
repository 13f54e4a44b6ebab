"""A structured rule: what to measure, when that is too much, and for how long.

Rules are data. They come from settings, from Python and (as text or JSON) from
people, and nothing in them is ever evaluated as code.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from alerting.rules.duration import parse_duration
from alerting.rules.errors import RuleError, problems
from alerting.rules.severity import Severity
from alerting.rules.threshold import Operator, Rung, Steps, rungs

__all__ = ["Aggregation", "NoData", "Rule", "RuleError"]

LABELS_LIMIT: Final = 32
_COUNT_LIMIT: Final = 10**18 - 1
_QUANTILE_DIGITS: Final = 8  # as many as its short form has


class Aggregation(StrEnum):
    """How the measurements of a window become one value."""

    AVG = "avg"
    MAX = "max"
    RATE = "rate"
    RATIO = "ratio"
    QUANTILE = "quantile"
    COUNT = "count"
    ABSENT = "absent"


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("it is no number")  # noqa: TRY004 - pydantic wants ValueError
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError("it is not finite")
    return number


def _quantile(value: object) -> float:
    return round(_number(value), _QUANTILE_DIGITS)


def _steps(value: object) -> Steps:
    if not isinstance(value, Mapping):
        return _number(value)
    return {Severity(step): _number(number) for step, number in value.items()}


def _no_data(value: object) -> object:
    return {"policy": value} if isinstance(value, str) else value


def _listed(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


Duration = Annotated[float, BeforeValidator(parse_duration)]
Ladder = Annotated[Steps, BeforeValidator(_steps)]
Text = Annotated[str, StringConstraints(max_length=2000)]
# The length is no part of the pattern: the engine would write its states out, 10 MB of them.
Name = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z_][\w .:/-]*$", max_length=100)
]
Identifier = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.]*$", max_length=200)
]
Labels = Annotated[dict[Identifier, Text], Field(max_length=LABELS_LIMIT)]
_DURATION_HINT: Final = '"20s", "5m", "1h30m" or a number of seconds'
_STEPS_HINT: Final = 'a number such as 0.1 or {"warning": 0.8, "critical": 0.9}'


class NoData(BaseModel):
    """What to make of a series that was there and has no data now.

    A rule without `by` has one series, which counts as there from the beginning.
    `keep` leaves the alert as it is, `fire` takes it for a breach and `ok` for a good
    value, both once it has lasted `for_` seconds in which the rule was evaluated.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True)

    policy: Literal["keep", "fire", "ok"] = "keep"
    for_: Duration = Field(default=0.0, alias="for")


class Rule(BaseModel):
    """One rule. Durations are seconds; the text of a field says what to write."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        serialize_by_alias=True,
        strict=True,
        validate_by_name=True,
    )

    name: Name = Field(
        description='a name of up to 100 characters, such as "deals_errors"'
    )
    metric: Identifier = Field(
        description='a metric, such as "http.server.request.error_rate"'
    )
    aggregation: Annotated[Aggregation, Field(strict=False)] = Field(
        default=Aggregation.AVG,
        description='one of "avg", "max", "rate", "ratio", "count", "absent", "p95"',
    )
    quantile: Annotated[float, BeforeValidator(_quantile)] | None = Field(
        default=None, gt=0, lt=1, description="a number between 0 and 1, such as 0.95"
    )
    where: Labels = Field(
        default_factory=dict, description='labels, such as {"http.route": "/deals/"}'
    )
    by: Annotated[tuple[Identifier, ...], BeforeValidator(_listed)] = Field(
        default=(), description='a list of label names, such as ["http.route"]'
    )
    window: Duration = Field(default=300.0, gt=0, description=_DURATION_HINT)
    operator: Operator = Field(
        default=">", description="one of >, >=, <, <=, ==, != in quotes"
    )
    threshold: Ladder = Field(default=0.0, description=_STEPS_HINT)
    severity: Annotated[Severity, Field(strict=False)] = Field(
        default=Severity.WARNING,
        description='one of "info", "warning", "error", "critical"',
    )
    recovery: Ladder | None = Field(default=None, description=_STEPS_HINT)
    min_count: int = Field(
        default=0, ge=0, le=_COUNT_LIMIT, description="a whole number, 0 or more"
    )
    for_: Duration = Field(default=0.0, alias="for", description=_DURATION_HINT)
    keep_firing_for: Duration = Field(default=0.0, description=_DURATION_HINT)
    no_data: Annotated[NoData, BeforeValidator(_no_data)] = Field(
        default=NoData(),
        description='"keep", "fire", "ok" or {"policy": "fire", "for": "10m"}',
    )
    cooldown: Duration | None = Field(default=None, description=_DURATION_HINT)
    labels: Labels = Field(
        default_factory=dict, description='labels, such as {"team": "payments"}'
    )
    annotations: Labels = Field(
        default_factory=dict, description='texts, such as {"summary": "Deals fail"}'
    )
    runbook_url: Annotated[
        str | None, StringConstraints(pattern=r"^https?://\S+$", max_length=2000)
    ] = Field(default=None, description='a link, such as "https://wiki.example.org/x"')

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> Self:
        """Build a rule from a dictionary; raise `RuleError` with every mistake."""
        try:
            return cls.model_validate(dict(data))
        except ValidationError as error:
            raise RuleError(data.get("name"), problems(cls, error)) from None

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, data: object) -> object:
        return _completed(data) if isinstance(data, dict) else data

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> Self:
        if (self.aggregation is Aggregation.QUANTILE) != (self.quantile is not None):
            raise ValueError('aggregation "quantile" and quantile belong together')
        if self.aggregation is Aggregation.ABSENT and self.by:
            raise ValueError("what is absent has no labels to tell apart; remove by")
        if shared := set(self.labels) & set(self.by):
            raise ValueError(f"labels and by both set {', '.join(sorted(shared))}")
        # Worked out here, so that contradictory thresholds are refused at once.
        _ = self.rungs
        return self

    @cached_property
    def rungs(self) -> tuple[Rung, ...]:
        """The severities with their thresholds, the mildest first."""
        return rungs(
            self.operator,
            self.threshold,
            severity=self.severity,
            recovery=self.recovery,
        )

    @property
    def aggregator(self) -> str:
        """The aggregation in one word: a quantile is "p95"."""
        if self.quantile is None:
            return self.aggregation.value
        percent = f"{self.quantile * 100:.{_QUANTILE_DIGITS - 2}f}"
        return f"p{percent.rstrip('0').rstrip('.')}"


def _completed(data: dict[str, Any]) -> dict[str, Any]:
    """Spell out what is short or left out."""
    data = dict(data)
    word = data.get("aggregation")
    if isinstance(word, str) and word[:1] == "p" and _is_percentage(word[1:]):
        data["aggregation"] = Aggregation.QUANTILE
        data["quantile"] = float(word[1:]) / 100
    elif word is None:
        data.pop("aggregation", None)
        data["aggregation"] = _usual(data)
    if data["aggregation"] != Aggregation.ABSENT and "threshold" not in data:
        raise ValueError(f"threshold is missing; write {_STEPS_HINT}")
    return data


def _usual(data: Mapping[str, Any]) -> Aggregation:
    if data.get("quantile") is not None:
        return Aggregation.QUANTILE
    # A share has no average of its own: it is errors by requests over the window.
    is_share = str(data.get("metric", "")).endswith("_rate")
    return Aggregation.RATIO if is_share else Aggregation.AVG


def _is_percentage(text: str) -> bool:
    whole, _, part = text.partition(".")
    is_number = whole.isdecimal() and (part == "" or part.isdecimal())
    return is_number and 0 < float(text) < 100
