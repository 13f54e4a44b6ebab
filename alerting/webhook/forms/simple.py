"""The simple form: one alert, in the words of this package. Wrong fields are named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StringConstraints,
    ValidationError,
    model_validator,
)

from alerting.rules.severity import Severity
from alerting.webhook.errors import FieldsError
from alerting.webhook.posted import (
    KEY_LIMIT,
    LABELS_LIMIT,
    METRICS_LIMIT,
    NAME_LIMIT,
    TEXT_LIMIT,
    VALUE_LIMIT,
    Posted,
    identity,
    link,
    moment,
)

__all__ = ["FINGERPRINT", "FORM", "SimpleAlert", "read"]

FORM: Final = "webhook"
FINGERPRINT: Final = "alert.fingerprint"
"""The label that keeps alerts apart which only the sender can tell apart."""
PROBLEMS_LIMIT: Final = 20


def _printable(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("write one line of text")
    return text


def _moment(text: object) -> object:
    if text is None:
        return None
    if not isinstance(text, str):
        raise ValueError("write a time such as 2026-01-31T12:00:00Z")  # noqa: TRY004
    try:
        return moment(text)
    except ValueError:
        advice = "write a time such as 2026-01-31T12:00:00Z"
        raise ValueError(advice) from None


def _link(text: str) -> str:
    if text and not link(text):
        raise ValueError("write a link that begins with http:// or https://")
    return text


def _bytes(text: str) -> str:
    if len(text.encode()) > VALUE_LIMIT:
        raise ValueError(f"write up to {VALUE_LIMIT} bytes")
    return text


Key = Annotated[
    str, StringConstraints(max_length=KEY_LIMIT), AfterValidator(_printable)
]
Short = Annotated[str, Field(strict=True), AfterValidator(_bytes)]
Figure = Short | StrictBool | StrictInt | StrictFloat | None
Moment = Annotated[float | None, BeforeValidator(_moment)]


class SimpleAlert(BaseModel):
    """One alert. What is not named here is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: Annotated[
        str, StringConstraints(max_length=NAME_LIMIT), AfterValidator(_printable)
    ]
    severity: Severity | None = None
    message: Annotated[str, StringConstraints(max_length=TEXT_LIMIT)] | None = None
    metrics: Annotated[dict[Key, Figure], Field(max_length=METRICS_LIMIT)] = {}
    status: Literal["firing", "resolved"] = "firing"
    labels: Annotated[dict[Key, Short], Field(max_length=LABELS_LIMIT)] = {}
    fingerprint: Annotated[str, StringConstraints(max_length=VALUE_LIMIT)] | None = None
    starts_at: Moment = None
    ends_at: Moment = None
    url: Annotated[str, AfterValidator(_link)] = ""

    @model_validator(mode="after")
    def _says_what_is_wrong(self) -> Self:
        missing = [
            field
            for field in ("severity", "message")
            if getattr(self, field) is None and self.status == "firing"
        ]
        if missing:
            raise ValueError(f"{' and '.join(missing)} must be there")
        return self


def read(document: Mapping[str, Any], *, now: float) -> Posted:
    """Return the alert of a document; raises `FieldsError`."""
    try:
        found = SimpleAlert.model_validate(document)
    except ValidationError as error:
        raise FieldsError(tuple(_problems(error))) from None
    told = {FINGERPRINT: found.fingerprint} if found.fingerprint else {}
    labels = {**found.labels, **told}
    return Posted(
        fingerprint=_identity(found),
        name=found.name,
        severity=found.severity or Severity.WARNING,
        message=found.message or "",
        is_firing=found.status == "firing" and (found.ends_at or now) >= now,
        labels=labels,
        metrics=found.metrics,
        url=found.url,
        starts_at=found.starts_at,
        ends_at=found.ends_at,
    )


def _identity(found: SimpleAlert) -> str:
    if found.fingerprint:
        return identity("fingerprint", found.fingerprint)
    return identity("labels", found.name, sorted(found.labels.items()))


def _problems(error: ValidationError) -> list[str]:
    details = error.errors(include_url=False, include_context=False)
    return [
        ": ".join(filter(None, (_place(detail["loc"]), detail["msg"])))
        for detail in details[:PROBLEMS_LIMIT]
    ]


def _place(where: tuple[int | str, ...]) -> str:
    return ".".join(str(part)[:KEY_LIMIT] for part in where)
