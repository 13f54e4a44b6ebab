from __future__ import annotations

import itertools
import threading

from prs_otel.rollup import codec, series
from prs_otel.rollup.cells import Cells
from prs_otel.rollup.gauge import Gauges
from prs_otel.rollup.sample import Sample, ranks
from prs_otel.rollup.totals import totals
from prs_otel.rollup.view import MetricsView
from prs_otel.store import open_store
from prs_otel.store.base import Beat, Bucket, Store

LIMIT = 50
_names = itertools.count()


def new_store() -> Store:
    return open_store(f"memory://rollup-{next(_names)}")


def new_view(store: Store, *, series_limit: int = LIMIT) -> MetricsView:
    return MetricsView(store, series_limit=series_limit, new_lock=threading.Lock)


def beat(worker: str = "w1", *, seen_at: float = 0.0, **figures: float) -> Beat:
    return Beat(
        worker=worker,
        host="web-1",
        pid=1,
        started_at=0.0,
        seen_at=seen_at,
        figures=figures,
        failures={},
    )


class Writer:
    """Append the deltas of one worker."""

    def __init__(self, store: Store, worker: str = "w1") -> None:
        self._store, self._worker, self._sequence = store, worker, 0

    def append(
        self,
        cells: Cells | None = None,
        *,
        at: float,
        samples: dict[str, list[Sample]] | None = None,
        gauges: Gauges | None = None,
        texts: dict[str, str] | None = None,
    ) -> None:
        """Append what was counted in the five seconds before `at`."""
        self._sequence += 1
        bucket = Bucket(
            level=0,
            start=at - 5,
            end=at,
            cells=codec.encode_cells(cells) if cells else b"",
            samples=codec.encode_samples(samples or {}),
            gauges=codec.encode_gauges(gauges or {}),
            slowest=ranks(samples or {}),
            totals=codec.encode_cells(totals(cells)) if cells else b"",
        )
        self._store.append(
            bucket,
            worker=self._worker,
            sequence=self._sequence,
            beat=beat(self._worker, seen_at=at),
            texts=texts or {},
        )


def requests(*observed: tuple[str, int], limit: int = LIMIT) -> Cells:
    """Return the cells of requests, each an endpoint and a duration in nanoseconds."""
    cells = Cells(limit)
    for endpoint, duration in observed:
        cells.cell(series.REQUEST, (endpoint, "GET")).observe(duration)
    return cells


def counts(view: MetricsView, *, seconds: float, now: float) -> dict[str, int]:
    """Return how many requests each endpoint had in the window."""
    window = view.window(seconds, now=now)
    return {
        labels[0]: figures.count
        for labels, figures in window.figures(series.REQUEST).items()
    }
