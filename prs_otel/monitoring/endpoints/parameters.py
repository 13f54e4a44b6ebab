"""What may be asked of the reading endpoints: finite, and bounded."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final, TypeAlias

from pydantic import BaseModel, Field

from prs_otel.monitoring.documents import LineQuery, Page, SampleQuery
from prs_otel.monitoring.scope import Scope

HOUR: Final = 3600.0

Name: TypeAlias = Annotated[str, Field(max_length=1_000)]
"""What tells one endpoint, organisation or statement from the others."""


class Span(BaseModel):
    """How far back the answer looks."""

    hours: Annotated[float, Field(gt=0, le=8760, allow_inf_nan=False)] = 24.0


class SamplePage(Span):
    """Which of the slowest are asked for."""

    limit: Annotated[int, Field(ge=1, le=100)] = 50
    offset: Annotated[int, Field(ge=0, le=100)] = 0
    endpoint: Name | None = None
    organization_id: Name | None = None

    def samples(self, scope: Scope) -> SampleQuery:
        """Return it joined with whose samples may be seen; raises 403 for another's."""
        return SampleQuery(
            seconds=self.hours * HOUR,
            limit=self.limit,
            offset=self.offset,
            organization_id=scope.narrowed(self.organization_id),
            endpoint=self.endpoint,
            is_of_staff=scope.organization_id is None,
        )


class QueryPage(SamplePage):
    """Which of the slowest queries are asked for."""

    fingerprint: Name | None = None

    def samples(self, scope: Scope) -> SampleQuery:
        """Return it joined with whose samples may be seen; raises 403 for another's."""
        return replace(super().samples(scope), fingerprint=self.fingerprint)


class TrendSpan(Span):
    """What the time series is about, and how many seconds its points are apart."""

    step: Annotated[int, Field(ge=1, le=31_536_000)] | None = None
    endpoint: Name | None = None
    organization_id: Name | None = None


class TablePage(BaseModel):
    """Which rows of a table are asked for."""

    hours: Annotated[float, Field(gt=0, le=8760, allow_inf_nan=False)] = 1.0
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100
    offset: Annotated[int, Field(ge=0, le=100_000)] = 0
    endpoint: Name | None = None

    def page(self) -> Page:
        """Return it as the documents take it."""
        return Page(
            seconds=self.hours * HOUR,
            limit=self.limit,
            offset=self.offset,
            endpoint=self.endpoint,
        )


class LinePage(TablePage):
    """Which endpoints are drawn, over what time, and by how many points."""

    hours: Annotated[float, Field(gt=0, le=8760, allow_inf_nan=False)] = 24.0
    limit: Annotated[int, Field(ge=1, le=200)] = 100
    points: Annotated[int, Field(ge=2, le=60)] = 24

    def lines(self) -> LineQuery:
        """Return it as the documents take it."""
        return LineQuery(self.page(), points=self.points)


class StatementPage(TablePage):
    """Which statements are asked for."""

    fingerprint: Name | None = None

    def page(self) -> Page:
        """Return it as the documents take it."""
        return replace(super().page(), fingerprint=self.fingerprint)


class HealthQuestion(BaseModel):
    """Whether it is asked for readiness instead of liveness."""

    ready: bool = False
