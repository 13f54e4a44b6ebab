from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from prs_otel import keeping
from prs_otel.keeping import Keeping
from prs_otel.observation import Observation

ONE, TWO = 1, 2


@pytest.fixture
def exported() -> list[str]:
    return []


@pytest.fixture
def kept(exported: list[str]) -> Iterator[Keeping[str]]:
    found = Keeping(exported.append)
    keeping.enlist(found)
    yield found
    keeping.dismiss(found)


def run(kept: Keeping[str], trace: int, *spans: str) -> None:
    kept.begin(trace)
    for span in spans:
        kept.add(trace, span)
    kept.end(trace)


def observed(*, is_error: bool = False, is_slow: bool = False) -> Observation:
    return Observation(
        "request", ("/", "GET"), 1, is_error, is_slow, 1, ONE, 9, None, None
    )


def test_what_does_not_matter_is_not_exported(
    kept: Keeping[str], exported: list[str]
) -> None:
    run(kept, ONE, "query", "request")

    assert exported == []
    assert kept.lost == 0


def test_what_matters_is_exported_whole(
    kept: Keeping[str], exported: list[str]
) -> None:
    kept.begin(ONE)
    kept.add(ONE, "query")
    kept.keep(ONE)
    kept.add(ONE, "other query")
    kept.add(ONE, "request")
    kept.end(ONE)
    kept.add(ONE, "afterwards")

    assert exported == ["query", "other query", "request", "afterwards"]


def test_it_may_turn_out_after_the_end(kept: Keeping[str], exported: list[str]) -> None:
    run(kept, ONE, "query", "request")
    run(kept, TWO, "another")

    kept.keep(ONE)

    assert exported == ["query", "request"]


def test_a_trace_with_two_local_roots_ends_with_the_last(
    kept: Keeping[str], exported: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "ENDED_TRACES", 0)
    kept.begin(ONE)
    run(kept, ONE, "inner")
    kept.add(ONE, "outer")
    kept.keep(ONE)

    assert exported == ["inner", "outer"]


def test_a_trace_that_comes_again_goes_on(
    kept: Keeping[str], exported: list[str]
) -> None:
    run(kept, ONE, "first")
    run(kept, ONE, "second")
    kept.keep(ONE)

    assert exported == ["first", "second"]


def test_what_ended_long_ago_is_forgotten_and_missed_only_if_it_mattered(
    kept: Keeping[str], exported: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "ENDED_TRACES", 1)
    run(kept, ONE, "one")
    run(kept, TWO, "two")
    before = kept.lost

    kept.keep(ONE)

    assert (exported, before, kept.lost) == ([], 0, 1)


def test_a_long_trace_is_cut_and_what_is_missing_counted(
    kept: Keeping[str], exported: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "SPANS_OF_A_TRACE", 2)
    run(kept, ONE, "a", "b", "c", "d")
    before = kept.lost

    kept.keep(ONE)
    kept.keep(ONE)

    assert (exported, before, kept.lost) == (["a", "b"], 0, 2)


def test_what_has_ended_makes_room_for_what_goes_on(
    kept: Keeping[str], exported: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "SPANS", 2)
    run(kept, ONE, "a", "b", "c")
    run(kept, TWO, "d", "e", "f")

    kept.keep(TWO)

    assert (exported, kept.lost) == (["d", "e"], 1)


def test_no_more_traces_than_so_many_are_followed(
    kept: Keeping[str], exported: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "TRACES", 1)
    kept.begin(ONE)
    run(kept, TWO, "left out")
    kept.add(ONE, "followed")
    kept.keep(ONE)

    assert exported == ["followed"]


def test_a_forked_child_begins_anew(kept: Keeping[str], exported: list[str]) -> None:
    run(kept, ONE, "of the parent")
    kept.forget()

    kept.keep(ONE)

    assert exported == []


@pytest.mark.parametrize("bad", [{"is_error": True}, {"is_slow": True}])
def test_what_is_slow_or_failed_matters(
    kept: Keeping[str], exported: list[str], bad: dict[str, bool]
) -> None:
    run(kept, ONE, "request")

    found = keeping.judged(observed(**bad))

    assert exported == ["request"]
    assert found.trace_id == ONE


def test_a_trace_that_nobody_has_is_not_named(kept: Keeping[str]) -> None:
    found = keeping.judged(observed())

    assert (found.trace_id, found.span_id) == (0, 0)


def test_where_nothing_is_exported_traces_are_named_for_the_logs() -> None:
    assert keeping.judged(observed()).trace_id == ONE


def test_what_all_have_lost_is_told(kept: Keeping[str]) -> None:
    keeping.judged(observed(is_slow=True))

    assert keeping.lost() == 1


class Model(RuleBasedStateMachine):
    """Whatever happens, a trace that mattered in time is whole, and nothing comes twice."""

    def __init__(self) -> None:
        super().__init__()
        self.exported: list[tuple[int, int]] = []
        self.kept: Keeping[tuple[int, int]] = Keeping(self.exported.append)
        self.roots: Counter[int] = Counter()
        self.spans: dict[int, list[tuple[int, int]]] = {}
        self.mattered: set[int] = set()

    traces = st.integers(1, 4)

    @rule(trace=traces)
    def begin(self, trace: int) -> None:
        self.kept.begin(trace)
        self.roots[trace] += 1

    @rule(trace=traces, number=st.integers(1, 5))
    def add(self, trace: int, number: int) -> None:
        if self.roots[trace]:
            for _ in range(number):
                span = (trace, len(self.spans.setdefault(trace, [])))
                self.spans[trace].append(span)
                self.kept.add(trace, span)

    @rule(trace=traces)
    def end(self, trace: int) -> None:
        if self.roots[trace]:
            self.roots[trace] -= 1
            self.kept.end(trace)

    @rule(trace=traces)
    def keep(self, trace: int) -> None:
        if self.roots[trace]:
            self.mattered.add(trace)
            self.kept.keep(trace)

    @invariant()
    def what_mattered_is_whole(self) -> None:
        for trace in self.mattered:
            found = [each for each in self.exported if each[0] == trace]
            assert found == self.spans.get(trace, [])
        assert {trace for trace, _ in self.exported} <= self.mattered
        assert self.kept.lost == 0


TestModel = Model.TestCase


def test_what_was_not_delivered_is_missing_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keeping, "_undelivered", 0)

    keeping.note_undelivered(3)
    keeping.note_undelivered(2)

    assert keeping.lost() == 5


def test_a_child_has_lost_nothing_of_its_parents(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keeping, "_undelivered", 3)

    keeping._begin_anew()

    assert keeping.lost() == 0
