from __future__ import annotations

from collections.abc import Iterator

import pytest

from prs_otel import guard
from prs_otel.instrumentation import database, requests
from prs_otel.manual import readiness
from prs_otel.observation import Thresholds
from tests.support.traces import Traces, close_connections_of_other_threads, tracing

THRESHOLDS = Thresholds(n_plus_one_count=3, n_plus_one_duration=0)


@pytest.fixture
def remembered() -> dict[str, str]:
    return {}


@pytest.fixture
def traces(
    monkeypatch: pytest.MonkeyPatch, remembered: dict[str, str]
) -> Iterator[Traces]:
    """Measure with a provider of the test's own, as a process that has begun does."""
    monkeypatch.setattr(readiness, "is_measuring", lambda: True)
    found = tracing(THRESHOLDS)
    found.set_globally(monkeypatch)
    # Read once in a process, by whoever instruments first.
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")
    database.install(thresholds=lambda: THRESHOLDS, remember=remembered.__setitem__)
    requests.instrument(
        record=found.observed.append,
        thresholds=lambda: THRESHOLDS,
        count=lambda *_: None,
        tenant=lambda request: getattr(request, "tenant", None),
    )
    yield found
    requests.uninstrument()
    database.uninstall()
    close_connections_of_other_threads()
    assert guard.report() == {}
