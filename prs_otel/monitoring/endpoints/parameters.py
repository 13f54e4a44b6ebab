"""What may be asked of the reading endpoints: finite, and bounded."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, Field

from prs_otel.monitoring.documents import Page, SampleQuery

HOUR: Final = 3600.0


class Span(BaseModel):
    """How far back the answer looks."""

    hours: Annotated[float, Field(gt=0, le=8760, allow_inf_nan=False)] = 24.0


class SamplePage(Span):
    """Which of the slowest are asked for."""

    limit: Annotated[int, Field(ge=1, le=100)] = 50
    offset: Annotated[int, Field(ge=0, le=100)] = 0

    def samples(self, organization_id: str | None) -> SampleQuery:
        """Return it joined with whose samples may be seen."""
        return SampleQuery(
            seconds=self.hours * HOUR,
            limit=self.limit,
            offset=self.offset,
            organization_id=organization_id,
        )


class TrendSpan(Span):
    """What the time series is about, and how many seconds its points are apart."""

    step: Annotated[int, Field(ge=1, le=31_536_000)] | None = None
    endpoint: Annotated[str, Field(max_length=1_000)] | None = None
    organization_id: Annotated[str, Field(max_length=1_000)] | None = None


class TablePage(BaseModel):
    """Which rows of a table are asked for."""

    hours: Annotated[float, Field(gt=0, le=8760, allow_inf_nan=False)] = 1.0
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100
    offset: Annotated[int, Field(ge=0, le=100_000)] = 0

    def page(self) -> Page:
        """Return it as the documents take it."""
        return Page(seconds=self.hours * HOUR, limit=self.limit, offset=self.offset)


class HealthQuestion(BaseModel):
    """Whether it is asked for readiness instead of liveness."""

    ready: bool = False
