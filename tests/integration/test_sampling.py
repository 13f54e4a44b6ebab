"""At whatever ratio traces are sampled: what is slow or has failed leaves whole."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import repeat
from typing import Any, Final

import pytest

from tests.support.collector import Collector, ReceivedSpan, collecting
from tests.support.monitored import quick, slow_calls, summary, wait_for_counts
from tests.support.servers import gunicorn, serving, uvicorn
from tests.support.sites import Site
from tests.support.wait import wait_until

pytestmark = pytest.mark.uncovered

ORDINARY, SLOW, FAILED = 300, 7, 5
COMMANDS: Final = {
    "gunicorn": gunicorn(workers=4),
    "preload": gunicorn("--preload", workers=2),
    "threads": gunicorn("--threads=4", workers=2),
    "uvicorn": uvicorn(),
}

# Seconds that no other view takes, however busy the machine.
SLOW_FOR_SURE = 3.0


def sampled(
    site: Site, collector: Collector, ratio: str, *, slow_after: float = 0.5
) -> Site:
    return quick(
        site, SLOW_API_THRESHOLD=slow_after, SLOW_QUERY_THRESHOLD=30.0
    ).with_environment(
        **collector.variables(),
        OTEL_TRACES_SAMPLER="parentbased_traceidratio",
        OTEL_TRACES_SAMPLER_ARG=ratio,
    )


def by_trace(collector: Collector) -> dict[str, list[ReceivedSpan]]:
    found: defaultdict[str, list[ReceivedSpan]] = defaultdict(list)
    for span in collector.spans:
        found[span.trace_id].append(span)
    return found


def requested(collector: Collector) -> Counter[str]:
    return Counter(
        span.attributes["url.path"] for span in collector.spans if span.kind == "SERVER"
    )


def bad(figures: Any) -> Counter[str]:
    """Return how many requests to each endpoint the view knows to be slow or to have failed."""
    return +Counter(
        {
            row["endpoint"]: max(row["slow_count"], row["error_count"])
            for row in figures["endpoints"]
        }
    )


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_what_is_slow_or_failed_is_exported_whole_and_everything_counted(
    site: Site, command: Sequence[str]
) -> None:
    sent = {"/queries/one/": ORDINARY, "/sleeps/": SLOW, "/queries/wrong/": FAILED}
    with collecting() as collector:
        site = sampled(site, collector, "0.0")
        with serving(site, command) as server:
            server.client.get_all(repeat("/queries/one/", ORDINARY))
            server.client.get_all(repeat("/sleeps/?seconds=0.6", SLOW))
            server.client.get_all(repeat("/queries/wrong/", FAILED))
            wait_for_counts(site, sent)
            figures: Any = summary(site)
            wait_until(lambda: requested(collector) == bad(figures))
        traces = by_trace(collector)

    assert requested(collector) == bad(figures)
    assert bad(figures)["/sleeps/"] == SLOW
    failed = [
        sorted(span.kind for span in spans)
        for spans in traces.values()
        if any(span.name.endswith("/queries/wrong/") for span in spans)
    ]
    # The failed query came before anybody knew that its request would fail.
    assert failed == [["CLIENT", "SERVER"]] * FAILED
    assert figures["monitor"]["lost_spans"] == 0


def test_a_share_of_the_rest_is_exported_as_before(site: Site) -> None:
    with collecting() as collector:
        site = sampled(site, collector, "0.5")
        with serving(site, gunicorn(workers=2)) as server:
            server.client.get_all(repeat("/queries/one/", ORDINARY))
            wait_for_counts(site, {"/queries/one/": ORDINARY})
        traces = by_trace(collector)

    # Five standard deviations.
    assert abs(len(traces) - ORDINARY / 2) < 5 * (ORDINARY / 4) ** 0.5
    assert {len(spans) for spans in traces.values()} == {2}


def test_only_a_trace_that_is_exported_is_named(site: Site) -> None:
    with collecting() as collector:
        site = sampled(site, collector, "0.0", slow_after=SLOW_FOR_SURE)
        with serving(site, gunicorn(workers=1)) as server:
            server.client.get_all(
                ["/plain/", f"/sleeps/?seconds={SLOW_FOR_SURE + 0.1}"]
            )
            wait_for_counts(site, {"/plain/": 1, "/sleeps/": 1})
            wait_until(lambda: len(collector.spans) >= 1)
        calls = slow_calls(site)
        exported = {span.trace_id for span in collector.spans}

    named = {call.endpoint: call.trace_id for call in calls}
    assert named["/plain/"] == ""
    assert {named["/sleeps/"]} == exported
