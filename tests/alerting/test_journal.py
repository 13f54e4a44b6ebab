from __future__ import annotations

import json

import pytest

from alerting import backlog as module
from alerting.backlog import PREFIX, Backlog
from alerting.journal import Journal, MemoryJournal, SteadyJournal
from alerting.notifications.policy import Cancellation
from alerting.notifications.telling import Outcome
from alerting.record import Record
from tests.support.notices import AT, notice, resolution, telling


class Broken(MemoryJournal):
    def put(self, key: str, value: bytes) -> None:
        raise OSError("disk full")

    def get(self, key: str) -> bytes | None:
        raise OSError("disk full")

    def keys(self, prefix: str) -> list[str]:
        raise OSError("disk full")

    def delete(self, key: str) -> None:
        raise OSError("disk full")


def test_a_journal_keeps_documents_by_key() -> None:
    journal: Journal = SteadyJournal(MemoryJournal())
    journal.put("a/1", b"x")
    journal.put("a/1", b"y")
    journal.put("b/1", b"z")

    assert journal.get("a/1") == b"y"
    assert list(journal.keys("a/")) == ["a/1"]

    journal.delete("a/1")
    journal.delete("a/1")
    assert journal.get("a/1") is None


def test_a_journal_that_fails_is_no_reason_to_fail(
    caplog: pytest.LogCaptureFixture,
) -> None:
    journal = SteadyJournal(Broken())

    journal.put("a", b"x")
    journal.delete("a")

    assert (journal.get("a"), list(journal.keys("a"))) == (None, [])
    assert journal.last_error == "OSError: disk full"
    assert len(caplog.records) == 1


def test_a_journal_that_works_again_has_no_error() -> None:
    inner = MemoryJournal()
    journal = SteadyJournal(inner)
    journal.last_error = "OSError: disk full"

    journal.put("a", b"x")

    assert journal.last_error == ""


RECORD = Record((notice(),), (telling(),))


def held(backlog: Backlog) -> list[Record]:
    found: list[Record] = []
    backlog.drain(found.append)
    return found


def test_records_come_out_in_the_order_in_which_they_came_in() -> None:
    backlog = Backlog(MemoryJournal())
    later = Record((resolution(),))
    backlog.add(RECORD, now=AT)
    backlog.add(later, now=AT + 600)

    assert held(backlog) == [RECORD, later]
    assert len(backlog) == 0


def test_the_next_evaluator_finds_what_the_last_one_left() -> None:
    journal = MemoryJournal()
    Backlog(journal).add(RECORD, now=AT)

    successor = Backlog(journal)
    successor.restore()
    successor.restore()

    assert held(successor) == [RECORD]
    assert journal.keys(PREFIX) == []


@pytest.mark.parametrize("document", [b"{", b"null", b'{"notices": 5}'])
def test_what_cannot_be_read_is_dropped_with_a_word(
    document: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    journal = MemoryJournal()
    journal.put(f"{PREFIX}1", document)
    backlog = Backlog(journal)

    backlog.restore()

    assert (len(backlog), journal.keys(PREFIX)) == (0, [])
    assert "cannot be read" in caplog.text


def test_a_document_that_vanished_meanwhile_is_nothing() -> None:
    class Vanishing(MemoryJournal):
        def get(self, key: str) -> bytes | None:
            return None

    journal = Vanishing()
    journal.put(f"{PREFIX}1", b"x")
    backlog = Backlog(journal)

    backlog.restore()

    assert len(backlog) == 0


def test_what_could_not_be_written_stays() -> None:
    backlog = Backlog(MemoryJournal())
    backlog.add(RECORD, now=AT)

    def fail(_: Record) -> None:
        raise OSError("still away")

    with pytest.raises(OSError, match="still away"):
        backlog.drain(fail)

    assert len(backlog) == 1


def test_a_change_is_journalled() -> None:
    journal = MemoryJournal()
    backlog = Backlog(journal)
    backlog.add(RECORD, now=AT)

    changed = backlog.change(
        [telling().key, "other"], lambda t: t.skipped("why", at=AT)
    )

    assert [t.state for t in changed] == [Outcome.SKIPPED]
    [key] = journal.keys(PREFIX)
    document = json.loads(journal.get(key) or b"")
    assert document["tellings"][0]["state"] == "skipped"
    assert backlog.change([telling().key], lambda t: t.skipped("no", at=AT)) == []


def test_what_is_cancelled_need_not_be_sent() -> None:
    backlog = Backlog(MemoryJournal())
    backlog.add(RECORD, now=AT)

    backlog.add(
        Record((resolution(),), (), (Cancellation(telling().key, "over"),)), now=AT
    )

    [waiting] = backlog.tellings()
    assert (waiting.state, waiting.reason) == (Outcome.SKIPPED, "over")


def test_a_backlog_is_bounded_and_counts_what_it_loses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "RECORDS_LIMIT", 2)
    backlog = Backlog(MemoryJournal())

    for at in range(3):
        backlog.add(Record((notice(at=AT + at, sequence=at),)), now=AT + at)

    assert (len(backlog), backlog.dropped) == (2, 1)
    assert [record.notices[0].sequence for record in held(backlog)] == [1, 2]


def test_without_a_journal_the_backlog_lives_in_memory() -> None:
    backlog = Backlog(SteadyJournal(Broken()))
    backlog.restore()

    backlog.add(RECORD, now=AT)

    assert held(backlog) == [RECORD]
