"""Say what an alert rests on: who contributed most, which line of code, which traces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from prs_otel.rollup import series
from prs_otel.rollup.catalog import HOST_NAME, metric
from prs_otel.rollup.cell import Cell
from prs_otel.rollup.figures import Figures
from prs_otel.rollup.instant import matches
from prs_otel.rollup.query import Query, largest
from prs_otel.rollup.sample import KEPT

if TYPE_CHECKING:
    from prs_otel.rollup.sample import Code, Sample
    from prs_otel.rollup.series import Labels
    from prs_otel.rollup.view import MetricsView

_CONTRIBUTORS = 5
_TRACES = 3
_ORGANIZATIONS = 3
_TENANT = "prs.tenant.id"
_BY_TENANT = {
    series.REQUEST: series.ORGANIZATION,
    series.QUERY: series.ORGANIZATION_QUERY,
}

_MEASURES = {
    "error_rate": "error_count",
    "slow_rate": "slow_count",
    "count": "count",
    "rate": "count",
}
"""By which figure the contributors to a measure are ranked; all others by total time."""


@dataclass(frozen=True, slots=True)
class Contributor:
    """Name one series and its share of what the metric measures."""

    endpoint: str | None
    method: str | None
    task: str | None
    fingerprint: str | None
    query: str | None
    count: int
    value: float
    share: float


@dataclass(frozen=True, slots=True)
class Share:
    """Name one organisation and its share of what the metric measures."""

    organization: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """Hold the largest contributors, the line of code and the traces of the worst samples.

    ``spans`` are the ids of the samples themselves, in the order of their ``traces``.
    """

    contributors: Sequence[Contributor]
    organizations: Sequence[Share]
    code: Code | None
    traces: Sequence[str]
    spans: Sequence[str]

    def as_dict(self) -> dict[str, object]:
        """Return plain types for JSON."""
        return {
            "contributors": [
                {key: value for key, value in asdict(each).items() if value is not None}
                for each in self.contributors
            ],
            **self._of_organizations(),
            "code": self.code._asdict() if self.code else None,
            "traces": list(self.traces),
            "spans": list(self.spans),
        }

    def _of_organizations(self) -> dict[str, object]:
        found = [asdict(each) for each in self.organizations]
        return {"organizations": found} if found else {}


def evidence(view: MetricsView, query: Query, *, now: float) -> Evidence:
    """Return the evidence for a metric; for a gauge, what took the most time meanwhile.

    Of a tenant or a user only samples know the endpoints and statements, so the contributors are
    then counted among these.
    """
    derived = metric(query.metric)
    kind = derived.evident_kind if derived else series.REQUEST
    measure = _MEASURES.get(derived.measure, "total") if derived else "total"
    sampled = series.FAILURES[kind] if measure == "error_count" else kind
    # Of what kind a task was, samples do not tell.
    told = {
        name: value for name, value in query.where.items() if name != "prs.task.kind"
    }

    def samples(limit: int, of: Sequence[Contributor] = ()) -> list[Sample]:
        return view.slowest(
            sampled,
            limit=limit,
            seconds=query.window,
            now=now,
            matches=lambda each: matches(_labels(each), told) and _belongs(each, of),
        )

    if query.where.keys() <= {*series.LABEL_NAMES[kind], HOST_NAME}:
        of_kind = _matching(view, kind, query, now)
    else:
        of_kind = _of_samples(samples(KEPT), kind)
        measure = measure if sampled != kind else "total"
    contributors = _contributors(view, kind, of_kind, measure)
    organizations: Sequence[Share] = ()
    if query.where.keys() <= {HOST_NAME}:
        organizations = _organizations(view, kind, of_kind, measure, query, now)
    elif kind in _BY_TENANT and _TENANT not in query.where:
        organizations = _among(samples(KEPT))
    worst = samples(_TRACES, contributors[:1]) or samples(_TRACES)
    code = next((sample.code for sample in worst if sample.code), None)
    traced = [each for each in worst if each.trace_id]
    traces, spans = (
        [each.trace_id for each in traced],
        [each.span_id for each in traced],
    )
    return Evidence(contributors, organizations, code, traces, spans)


def _organizations(  # noqa: PLR0913 - what was asked, and what was found of it
    view: MetricsView,
    kind: str,
    of_kind: Mapping[Labels, Figures],
    measure: str,
    query: Query,
    now: float,
) -> list[Share]:
    """Return who has the largest share in all there was, what belongs to nobody included."""
    by_tenant = _BY_TENANT.get(kind)
    if by_tenant is None:
        return []
    total = sum(getattr(figures, measure) for figures in of_kind.values()) or 1
    found = view.window(query.window, now=now).figures(by_tenant)
    return [
        Share(tenant, figures.count, min(1.0, getattr(figures, measure) / total))
        for (tenant,), figures in largest(found, measure, _ORGANIZATIONS)
    ]


def _among(samples: Sequence[Sample]) -> list[Share]:
    """Return the same of one series, whose organisations only its samples know."""
    counts = Counter(each.organization_id for each in samples if each.organization_id)
    return [
        Share(tenant, count, count / len(samples))
        for tenant, count in counts.most_common(_ORGANIZATIONS)
    ]


def _matching(
    view: MetricsView, kind: str, query: Query, now: float
) -> dict[Labels, Figures]:
    names = series.LABEL_NAMES[kind]
    of_kind = view.window(query.window, now=now).figures(kind)
    return {
        labels: figures
        for labels, figures in of_kind.items()
        if matches(dict(zip(names, labels, strict=True)), query.where)
    }


def _of_samples(samples: Iterable[Sample], kind: str) -> dict[Labels, Figures]:
    cells: dict[Labels, Cell] = {}
    for each in samples:
        labels = (
            (each.endpoint or series.UNRESOLVED, each.method)
            if kind == series.REQUEST
            else (each.alias, each.fingerprint)
        )
        cell = cells.setdefault(labels, Cell())
        cell.observe(round(each.duration * 1e9), is_error=each.is_error)
    return {labels: Figures(cell) for labels, cell in cells.items()}


def _contributors(
    view: MetricsView, kind: str, of_kind: Mapping[Labels, Figures], measure: str
) -> list[Contributor]:
    total = sum(getattr(figures, measure) for figures in of_kind.values()) or 1
    top = list(largest(of_kind, measure, _CONTRIBUTORS))
    texts = view.texts([labels[1] for labels, _ in top]) if kind == series.QUERY else {}
    return [
        _contributor(kind, labels, figures, texts, getattr(figures, measure) / total)
        for labels, figures in top
    ]


def _contributor(
    kind: str, labels: Labels, figures: Figures, texts: Mapping[str, str], share: float
) -> Contributor:
    is_query, is_request = kind == series.QUERY, kind == series.REQUEST
    return Contributor(
        endpoint=labels[0] if is_request else None,
        method=labels[1] if is_request else None,
        task=labels[0] if kind == series.TASK else None,
        fingerprint=labels[1] if is_query else None,
        query=texts.get(labels[1], "") if is_query else None,
        count=figures.count,
        value=figures.mean,
        share=share,
    )


def _labels(sample: Sample) -> dict[str, str]:
    labels = {
        "http.route": sample.endpoint or "",
        "http.request.method": sample.method,
        "prs.db.alias": sample.alias,
        "prs.db.query.fingerprint": sample.fingerprint,
        "prs.task.name": sample.task or "",
        "prs.tenant.id": sample.organization_id or "",
        "user.id": sample.user_id or "",
    }
    return {name: value for name, value in labels.items() if value}


def _belongs(sample: Sample, contributors: Sequence[Contributor]) -> bool:
    """Tell whether a sample comes from the largest contributor, so that all evidence agrees."""
    return all(
        sample.fingerprint == each.fingerprint
        if each.fingerprint
        else (sample.endpoint, sample.task) == (each.endpoint, each.task)
        for each in contributors
    )
