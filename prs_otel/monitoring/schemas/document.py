"""What all documents have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Document(BaseModel):
    """What all answers have in common: once built they are not changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")
