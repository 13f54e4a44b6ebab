from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest

from prs_otel.instrumentation.n_plus_one import Finding
from prs_otel.observation import CallSite, RequestContext
from prs_otel.request_context import TaskContext
from prs_otel.rollup import recorder, reservoir, series
from prs_otel.rollup.cache_call import CacheCall
from prs_otel.rollup.delta import Delta
from prs_otel.rollup.figures import Figures
from prs_otel.rollup.recorder import Rollup
from prs_otel.rollup.sample import Code, best
from tests.prs_otel.rollup.observations import (
    finished_context,
    query,
    request,
    task,
)
from tests.prs_otel.rollup.test_cells import total


@pytest.fixture
def rollup() -> Rollup:
    return Rollup(series_limit=10, new_lock=threading.Lock, now=1_000.0)


def sealed(rollup: Rollup, now: float = 1_005.0) -> Delta:
    delta = rollup.seal(now)
    assert delta is not None
    return delta


def test_a_seal_hands_out_what_was_counted_and_begins_anew(rollup: Rollup) -> None:
    rollup.record(request(duration=10, is_error=True))
    rollup.record(request(duration=30, is_slow=True))

    delta = sealed(rollup)

    cell = delta.cells.by_kind[series.REQUEST]["/deals/", "GET"]
    assert (delta.start, delta.end) == (1_000.0, 1_005.0)
    assert (cell.count, cell.errors, cell.slow, cell.total) == (2, 1, 1, 40)
    assert rollup.seal(1_010.0) is None


def test_a_clock_set_back_gives_a_delta_without_length(rollup: Rollup) -> None:
    rollup.record(request())

    delta = sealed(rollup, now=900.0)

    assert (delta.start, delta.end) == (900.0, 900.0)


def test_a_request_counts_its_queries_and_its_n_plus_one(rollup: Rollup) -> None:
    context = finished_context(organization_id="7", user_id="3")
    context.query_count, context.query_time = 6, 600
    context.query_outcomes = [(100, False, False)] * 5 + [(100, True, True)]
    context.findings = (Finding("f1", 6, 600, CallSite("views.py", 12, "listing")),)
    rollup.record(request(context=context))

    by_kind = sealed(rollup).cells.by_kind

    of_request = by_kind[series.REQUEST]["/deals/", "GET"]
    assert (of_request.queries, of_request.query_time, of_request.findings) == (
        6,
        600,
        1,
    )
    finding = by_kind[series.N_PLUS_ONE]["f1", "/deals/", "views.py", "12", "listing"]
    assert (finding.count, finding.queries, finding.total) == (1, 6, 600)
    of_organization = by_kind[series.ORGANIZATION][("7",)]
    assert (of_organization.count, of_organization.queries) == (1, 6)
    assert by_kind[series.USER][("3",)].findings == 1
    queries = by_kind[series.ORGANIZATION_QUERY][("7",)]
    assert (queries.count, queries.errors, queries.slow, queries.total) == (
        6,
        1,
        1,
        600,
    )


def test_a_finding_without_a_line_of_code_is_counted_all_the_same(
    rollup: Rollup,
) -> None:
    context = finished_context()
    context.findings = (Finding("f1", 6, 600, None),)
    rollup.record(request(context=context))

    by_kind = sealed(rollup).cells.by_kind

    assert list(by_kind[series.N_PLUS_ONE]) == [("f1", "/deals/", "", "0", "")]


def test_series_beyond_the_cap_are_counted_in_other() -> None:
    rollup = Rollup(series_limit=10, new_lock=threading.Lock)
    for number in range(1_000):
        rollup.record(request(endpoint=f"/{number}/"))

    of_kind = sealed(rollup).cells.by_kind[series.REQUEST]

    assert len(of_kind) == 11
    assert of_kind[series.other(series.REQUEST)].count == 990
    assert total(of_kind).count == 1_000
    assert rollup.overflowed == 990


def test_what_the_queue_cannot_hold_is_dropped_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recorder, "_QUEUE_LIMIT", 100)
    lock = threading.Lock()
    rollup = Rollup(series_limit=10, new_lock=lambda: lock)
    with lock:
        for _ in range(150):
            rollup.record(request())

    assert rollup.pending == 100
    assert rollup.dropped == 50
    assert total(sealed(rollup).cells.by_kind[series.REQUEST]).count == 100


def test_a_caller_never_waits_for_a_fold_in_progress() -> None:
    lock = threading.Lock()
    rollup = Rollup(series_limit=10, new_lock=lambda: lock)

    with lock:
        for _ in range(200):
            rollup.record(request())

    assert rollup.pending == 200
    rollup.record(request())
    assert rollup.pending < 200


def test_calls_of_a_cache_are_counted_by_operation_and_their_keys_by_alias(
    rollup: Rollup,
) -> None:
    rollup.record_cache(("default", "get_many"), CacheCall(3_000, 2, 1, is_error=False))
    rollup.record_cache(("default", "get"), CacheCall(1_000, 1, 0, is_error=False))
    rollup.record_cache(("default", "get"), CacheCall(5_000, 0, 0, is_error=True))
    rollup.record_cache(("other", "set"), CacheCall(2_000, 0, 0, is_error=False))

    cells = sealed(rollup).cells
    gets = cells.by_kind[series.CACHE]["default", "get"]
    assert (gets.count, gets.errors, gets.total, gets.maximum) == (2, 1, 6_000, 5_000)
    assert len(cells.by_kind[series.CACHE]) == 3
    assert cells.counters == {
        series.CACHE_HITS: {("default",): 3},
        series.CACHE_MISSES: {("default",): 1},
    }


def test_aliases_beyond_the_limit_are_counted_together() -> None:
    rollup = Rollup(series_limit=2, new_lock=threading.Lock)
    for n in range(5):
        rollup.record_cache((f"cache{n}", "get"), CacheCall(1, 1, 0, is_error=False))

    cells = sealed(rollup).cells
    assert sum(cell.count for cell in cells.by_kind[series.CACHE].values()) == 5
    assert cells.by_kind[series.CACHE][series.other(series.CACHE)].count == 3
    assert sum(cells.counters[series.CACHE_HITS].values()) == 5


def test_counters_and_gauges_never_wait_for_a_fold_in_progress() -> None:
    lock = threading.Lock()
    rollup = Rollup(series_limit=10, new_lock=lambda: lock)

    with lock:
        for n in range(100):
            rollup.count(series.CACHE_HITS, ("default",), 2)
            rollup.gauge("queue_length", float(n), (), 1_000.0 + n)

    delta = sealed(rollup)
    assert delta.cells.counters == {series.CACHE_HITS: {("default",): 200}}
    assert delta.gauges["queue_length", ()].count == 100


def test_counters_are_folded_long_before_they_are_sealed(rollup: Rollup) -> None:
    for _ in range(10_000):
        rollup.count(series.CACHE_HITS, ("default",), 1)

    assert len(rollup._readings) < 64
    hits = sealed(rollup).cells.counters[series.CACHE_HITS]
    assert hits == {("default",): 10_000}


def test_gauges_beyond_the_cap_are_dropped_and_counted(
    rollup: Rollup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "_GAUGE_LIMIT", 2)
    for n in range(5):
        rollup.gauge(f"custom_{n}", 1.0, (), 1_000.0)

    assert len(sealed(rollup).gauges) == 2
    assert rollup.dropped == 3


def test_a_queue_that_was_emptied_meanwhile_drops_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recorder, "_QUEUE_LIMIT", -1)
    lock = threading.Lock()
    rollup = Rollup(series_limit=10, new_lock=lambda: lock)

    with lock:
        rollup._relieve(rollup._queue)

    assert rollup.dropped == 0


def test_a_seal_gives_up_on_a_thread_that_was_killed_while_it_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recorder, "_LOCK_PATIENCE", 0.01)
    lock = threading.Lock()
    rollup = Rollup(series_limit=10, new_lock=lambda: lock)

    with lock, pytest.raises(TimeoutError, match="does not come to an end"):
        rollup.seal(1_005.0)


def test_a_folded_request_gives_back_what_only_folding_needed(rollup: Rollup) -> None:
    context = finished_context(organization_id="7")
    context.keeps_outcomes = True
    for n in range(100):
        context.add_query(f"f{n}", 1_000)
    rollup.record(request(context=context))

    queries = sealed(rollup).cells.by_kind[series.ORGANIZATION_QUERY][("7",)]

    assert queries.count == 100
    assert (context.repeats, context.query_outcomes) == ({}, [])


def test_a_forked_child_begins_from_nothing(rollup: Rollup) -> None:
    for _ in range(100):
        rollup.record(request())
    rollup.count(series.CACHE_HITS, ("default",), 5)

    rollup.reset(2_000.0)

    assert rollup.pending == 0
    assert rollup.seal(2_005.0) is None


@pytest.fixture
def _eager_switching() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("_eager_switching")
def test_threads_and_seals_together_lose_and_double_nothing(rollup: Rollup) -> None:
    deltas: list[Delta | None] = []
    done = threading.Event()

    def record() -> None:
        for number in range(2_000):
            rollup.record(request(endpoint=f"/{number % 5}/"))

    def seal() -> None:
        while not done.is_set():
            deltas.append(rollup.seal(1_005.0))

    sealer = threading.Thread(target=seal)
    sealer.start()
    recorders = [threading.Thread(target=record) for _ in range(4)]
    for each in recorders:
        each.start()
    for each in recorders:
        each.join()
    done.set()
    sealer.join()
    deltas.append(rollup.seal(1_010.0))

    counted = sum(
        total(delta.cells.by_kind.get(series.REQUEST, {})).count
        for delta in deltas
        if delta
    )
    assert counted == 8_000


def test_it_tells_whether_there_is_anything_to_seal(rollup: Rollup) -> None:
    told = [rollup.is_empty]
    rollup.count(series.CACHE_HITS, ("default",), 1)
    told.append(rollup.is_empty)
    rollup.seal(1_001.0)
    told.append(rollup.is_empty)
    rollup.record(query(context=RequestContext(), at=1_002.0))
    rollup.seal(1_003.0)  # its sample waits for the end of the request
    told.append(rollup.is_empty)
    rollup.seal(1_100.0)
    told.append(rollup.is_empty)

    assert told == [True, False, True, False, True]


def test_a_delta_begins_when_nothing_had_been_counted_yet(rollup: Rollup) -> None:
    rollup.postpone(4_600.0)
    rollup.record(request())
    rollup.postpone(4_601.0)

    delta = sealed(rollup, now=4_605.0)

    assert (delta.start, delta.end) == (4_600.0, 4_605.0)


def test_a_delta_is_postponed_without_waiting_for_a_fold_in_progress() -> None:
    lock = threading.Lock()
    rollup = Rollup(series_limit=10, new_lock=lambda: lock, now=1_000.0)

    with lock:
        rollup.postpone(4_600.0)
    rollup.record(request())

    assert sealed(rollup, now=4_605.0).start == 4_600.0


def test_it_tells_whether_a_request_was_recorded(rollup: Rollup) -> None:
    rollup.record(query())
    told = [rollup.has_requests]
    rollup.record(request())
    told.append(rollup.has_requests)
    for _ in range(100):
        rollup.record(query())
    told.append(rollup.has_requests)
    rollup.seal(1_005.0)
    told.append(rollup.has_requests)

    assert told == [False, True, True, False]


def test_the_slowest_and_the_failed_are_kept_as_samples(rollup: Rollup) -> None:
    for duration in range(1, 151):
        rollup.record(request(duration=duration, trace_id=duration))
    rollup.record(request(duration=0, is_error=True, trace_id=0xABC))

    samples = sealed(rollup).samples

    slowest = best(samples[series.REQUEST])
    assert [round(each.duration * 1e9) for each in slowest] == list(range(150, 50, -1))
    (failed,) = samples[series.FAILURES[series.REQUEST]]
    assert failed.trace_id == "0" * 29 + "abc"


def test_the_latest_failures_are_kept(rollup: Rollup) -> None:
    for number in range(150):
        rollup.record(request(is_error=True, at=float(number)))

    failures = sealed(rollup).samples[series.FAILURES[series.REQUEST]]

    assert sorted(each.at for each in failures) == [float(n) for n in range(50, 150)]


def test_a_query_sample_knows_request_tenant_and_line(rollup: Rollup) -> None:
    context = finished_context(organization_id="7", user_id="3")
    rollup.record(query(context=context, code=CallSite("views.py", 12, "listing")))

    (sample,) = sealed(rollup).samples[series.QUERY]

    assert sample.endpoint == "/deals/"
    assert (sample.organization_id, sample.user_id) == ("7", "3")
    assert sample.code == Code("views.py", 12, "listing")
    assert (sample.alias, sample.fingerprint) == ("default", "f1")


def test_a_query_outside_of_a_request_has_no_endpoint(rollup: Rollup) -> None:
    rollup.record(query())

    (sample,) = sealed(rollup).samples[series.QUERY]

    assert (sample.endpoint, sample.method, sample.organization_id) == (None, "", None)


def test_the_sample_of_a_running_request_waits_until_its_tenant_is_known(
    rollup: Rollup,
) -> None:
    context = RequestContext()
    context.route = "/deals/"
    rollup.record(query(context=context, at=1_004.0, is_error=True))

    first = sealed(rollup, now=1_005.0)
    context.organization_id, context.is_finished = "7", True
    second = sealed(rollup, now=1_010.0)

    assert total(first.cells.by_kind[series.QUERY]).count == 1
    assert first.samples == {}
    assert [sample.organization_id for sample in second.samples[series.QUERY]] == ["7"]
    assert len(second.samples[series.FAILURES[series.QUERY]]) == 1


def test_a_failure_whose_request_ends_during_a_seal_is_told_once(
    rollup: Rollup, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([False, True])
    monkeypatch.setattr(reservoir, "_is_unfinished", lambda *_: next(answers, False))
    rollup.record(query(is_error=True))

    deltas = [rollup.seal(1_005.0), rollup.seal(1_010.0)]

    failures = [
        sample
        for delta in deltas
        if delta
        for sample in delta.samples.get(series.FAILURES[series.QUERY], ())
    ]
    assert len(failures) == 1


def test_the_sample_of_a_request_that_never_ends_does_not_wait_for_ever(
    rollup: Rollup,
) -> None:
    rollup.record(query(context=RequestContext(), at=1_000.0))
    assert rollup.seal(1_059.0) is not None

    (sample,) = sealed(rollup, now=1_061.0).samples[series.QUERY]

    assert sample.endpoint == series.UNRESOLVED


def test_gauges_and_counters_are_sealed_too(rollup: Rollup) -> None:
    rollup.gauge("system.cpu.utilization", 0.5, ("web-1",), 1_001.0)
    rollup.count(series.CACHE_MISSES, ("default",), 2)

    delta = sealed(rollup)

    assert delta.gauges["system.cpu.utilization", ("web-1",)].last == 0.5
    assert delta.cells.counters == {series.CACHE_MISSES: {("default",): 2}}


def test_a_gauge_that_is_no_number_is_refused(rollup: Rollup) -> None:
    with pytest.raises(ValueError, match="finite"):
        rollup.gauge("x", float("nan"), (), 1.0)


def test_a_request_says_which_statements_its_route_ran(rollup: Rollup) -> None:
    for _ in range(2):
        context = finished_context()
        context.add_query("f1", 100)
        context.add_query("f1", 200)
        context.add_query("f2", 50)
        rollup.record(request(context=context))

    of_kind = sealed(rollup).cells.by_kind[series.QUERY_ENDPOINT]

    assert {
        labels: (cell.count, cell.queries, cell.query_time)
        for labels, cell in of_kind.items()
    } == {("f1", "/deals/"): (2, 4, 600), ("f2", "/deals/"): (2, 2, 100)}


def test_answers_are_counted_by_the_class_of_their_status(rollup: Rollup) -> None:
    for status in (200, 204, 302, 404, 499, 500):
        context = finished_context(organization_id="7", user_id="3")
        context.status_code = status
        rollup.record(request(context=context, is_error=status >= 500))

    by_kind = sealed(rollup).cells.by_kind

    for kind, labels in (
        (series.REQUEST, ("/deals/", "GET")),
        (series.ORGANIZATION, ("7",)),
        (series.USER, ("3",)),
    ):
        figures = Figures(by_kind[kind][labels])
        assert figures.succeeded_count == 2
        assert (figures.redirected_count, figures.refused_count) == (1, 2)
        assert figures.error_count == 1


def test_a_task_counts_its_queries_and_what_it_repeated(rollup: Rollup) -> None:
    context = TaskContext("celery", "shop.bill")
    context.add_query("f1", 30, is_slow=True)
    context.findings = (Finding("f1", 5, 30, CallSite("jobs.py", 7, "bill")),)
    context.is_finished = True
    rollup.record(task(context, duration=90))

    delta = sealed(rollup)
    cell = delta.cells.by_kind[series.TASK][("shop.bill", "celery")]
    assert (cell.count, cell.total, cell.queries, cell.query_time) == (1, 90, 1, 30)
    assert cell.findings == 1
    labels = ("f1", "shop.bill", "jobs.py", "7", "bill")
    assert delta.cells.by_kind[series.TASK_N_PLUS_ONE][labels].queries == 5
    assert delta.cells.by_kind.keys() == {series.TASK, series.TASK_N_PLUS_ONE}


def test_the_samples_of_a_task_and_its_queries_name_it(rollup: Rollup) -> None:
    context = TaskContext("celery", "shop.bill")
    context.add_query("f1", 30)
    context.is_finished = True
    rollup.record(task(context, is_error=True))
    rollup.record(query(context=context))

    samples = sealed(rollup).samples
    assert samples.keys() == {series.TASK, series.FAILURES[series.TASK], series.QUERY}
    (of_task,), (of_query,) = samples[series.TASK], samples[series.QUERY]
    for sample in (of_task, of_query):
        assert (sample.task, sample.endpoint, sample.method) == ("shop.bill", None, "")
    assert (of_task.query_count, of_task.fingerprint, of_task.alias) == (1, "", "")
    assert (of_query.query_count, of_query.fingerprint) == (0, "f1")
