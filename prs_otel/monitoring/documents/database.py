"""What the databases were asked: by statement, by alias, and what was asked repeatedly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from prs_otel.monitoring.documents import figures as shown
from prs_otel.monitoring.documents.summary import findings_by_fingerprint
from prs_otel.monitoring.schemas import (
    AliasMetrics,
    CodeLocation,
    DatabaseMetrics,
    NPlusOneFinding,
    StatementEndpoint,
    StatementMetrics,
)
from prs_otel.rollup import series
from prs_otel.rollup.figures import Figures, merge

if TYPE_CHECKING:
    from prs_otel.monitoring.documents.page import Page
    from prs_otel.rollup.series import Labels
    from prs_otel.rollup.view import MetricsView
    from prs_otel.rollup.window import Window

ENDPOINTS_SHOWN: Final = 20
"""Routes named of one statement, those it took most time in."""
FINDINGS_SHOWN: Final = 1_000

Parts = dict[str, dict[str, Figures]]


def database_metrics(view: MetricsView, page: Page, *, now: float) -> DatabaseMetrics:
    """Return the figures of all queries, a page of the statements; raises `StoreError`.

    An endpoint or a fingerprint narrows the statements and what was repeated, not the totals.
    """
    window = view.window(page.seconds, now=now)
    total = window.total(series.QUERY)
    by_alias, by_fingerprint = _split(window.figures(series.QUERY))
    wanted = _wanted(window, page)
    rows = [
        row
        for row in shown.heaviest_first(_merged(by_fingerprint).items())
        if wanted is None or row[0] in wanted
    ]
    found = _findings(window, page)
    texts = view.texts(
        [*(each for each, _ in page.of(rows)), *(labels[0] for _, labels, _ in found)]
    )
    return DatabaseMetrics(
        window=shown.window_document(window),
        queries=shown.query_figures(
            total, n_plus_one_count=window.total(series.REQUEST).finding_count
        ),
        aliases=_aliases(by_alias, total),
        fingerprints=_statements(window, page.of(rows), by_fingerprint, texts),
        n_plus_one=[
            _finding(labels, each, texts, is_of_task=kind == series.TASK_N_PLUS_ONE)
            for kind, labels, each in found
        ],
        count=len(rows),
    )


def _wanted(window: Window, page: Page) -> set[str] | None:
    """Return the fingerprints that are asked for, None for all of them."""
    if page.endpoint is None:
        return None if page.fingerprint is None else {page.fingerprint}
    return {
        fingerprint
        for fingerprint, endpoint in window.figures(series.QUERY_ENDPOINT)
        if endpoint == page.endpoint and page.fingerprint in (None, fingerprint)
    }


def _split(of_queries: Mapping[Labels, Figures]) -> tuple[Parts, Parts]:
    by_alias: Parts = defaultdict(dict)
    by_fingerprint: Parts = defaultdict(dict)
    for (alias, fingerprint), figures in of_queries.items():
        by_alias[alias][fingerprint] = figures
        by_fingerprint[fingerprint][alias] = figures
    return by_alias, by_fingerprint


def _merged(parts: Parts) -> dict[str, Figures]:
    return {
        key: merge(of_one.values()) if len(of_one) > 1 else next(iter(of_one.values()))
        for key, of_one in parts.items()
    }


def _aliases(by_alias: Parts, total: Figures) -> list[AliasMetrics]:
    return [
        AliasMetrics(
            alias=alias,
            total_duration=figures.total,
            time_share=shown.share(figures.total, total.total),
            **shown.common(figures),
        )
        for alias, figures in shown.heaviest_first(_merged(by_alias).items())
    ]


def _statements(
    window: Window,
    rows: Iterable[tuple[str, Figures]],
    by_fingerprint: Parts,
    texts: Mapping[str, str],
) -> list[StatementMetrics]:
    endpoints = _endpoints(window)
    findings = findings_by_fingerprint(window)
    total = window.total(series.QUERY).total
    return [
        StatementMetrics(
            fingerprint=fingerprint,
            query=texts.get(fingerprint, ""),
            n_plus_one_count=findings[fingerprint],
            total_duration=figures.total,
            time_share=shown.share(figures.total, total),
            aliases=sorted(by_fingerprint[fingerprint]),
            endpoints=endpoints[fingerprint][:ENDPOINTS_SHOWN],
            endpoint_count=len(endpoints[fingerprint]),
            **shown.common(figures),
        )
        for fingerprint, figures in rows
    ]


def _endpoints(window: Window) -> defaultdict[str, list[StatementEndpoint]]:
    found: defaultdict[str, list[StatementEndpoint]] = defaultdict(list)
    rows = window.figures(series.QUERY_ENDPOINT).items()
    for (fingerprint, endpoint), figures in sorted(
        rows, key=lambda row: (-row[1].query_time, row[0])
    ):
        found[fingerprint].append(
            StatementEndpoint(
                endpoint=endpoint,
                request_count=figures.count,
                count=figures.query_count,
                total_duration=figures.query_time,
            )
        )
    return found


def _findings(window: Window, page: Page) -> list[tuple[str, Labels, Figures]]:
    rows = [
        ((kind, labels), figures)
        for kind in (series.N_PLUS_ONE, series.TASK_N_PLUS_ONE)
        for labels, figures in window.figures(kind).items()
        if page.fingerprint in (None, labels[0])
        and page.endpoint in (None, _route(kind, labels))
    ]
    return [(*key, figures) for key, figures in shown.heaviest_first(rows)][
        :FINDINGS_SHOWN
    ]


def _route(kind: str, labels: Labels) -> str | None:
    return labels[1] if kind == series.N_PLUS_ONE else None


def _finding(
    labels: Labels, figures: Figures, texts: Mapping[str, str], *, is_of_task: bool
) -> NPlusOneFinding:
    fingerprint, where, file, line, function = labels
    # What exceeds the cap is in a series of its own, which has no line of code.
    is_located = bool(file) and line.isdecimal()
    return NPlusOneFinding(
        fingerprint=fingerprint,
        query=texts.get(fingerprint, ""),
        endpoint=None if is_of_task else where,
        task=where if is_of_task else None,
        count=figures.count,
        repeat_count=figures.query_count,
        code=CodeLocation(file=file, line=int(line), function=function)
        if is_located
        else None,
    )
