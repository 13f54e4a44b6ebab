"""Why there is no answer."""

from __future__ import annotations

from pydantic import BaseModel

from prs_otel.monitoring.schemas.document import Document


class Error(Document):
    """Why there is no answer."""

    detail: str


class InvalidParameter(BaseModel):
    """One parameter that was refused: where it stood (`loc`) and what it should be."""

    type: str
    loc: list[str | int]
    msg: str


class InvalidRequest(Document):
    """Which parameters were refused."""

    detail: list[InvalidParameter]
