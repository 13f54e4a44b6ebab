from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError

from alerting import conf
from alerting.following import DOCUMENT, Changed, Following, handed_out, look
from alerting.journal import MemoryJournal

ONE = {"EMAIL_BATCH_SIZE": 1}


@pytest.fixture(autouse=True)
def _changes_are_forgotten() -> Iterator[None]:
    yield
    conf.change({})


class Database:
    def __init__(self, *found: Changed | Exception) -> None:
        self.found = list(found)

    def stored(self) -> Changed:
        found = self.found.pop(0) if len(self.found) > 1 else self.found[0]
        if isinstance(found, Exception):
            raise found
        return found


def following(*found: Changed | Exception, journal: Any = None) -> Following:
    return Following(Database(*found).stored, journal or MemoryJournal())


def test_a_change_is_in_force_once_it_has_been_seen() -> None:
    found = following(Changed(), Changed(1, ONE), Changed(1, ONE), Changed(2))

    assert [found.look() for _ in range(2)] == [False, True]
    assert conf.current().email_batch_size == 1
    assert [found.look() for _ in range(2)] == [False, True]
    assert (conf.current().email_batch_size, found.revision) == (5, 2)


def test_other_processes_read_what_the_evaluator_has_handed_out() -> None:
    journal = MemoryJournal()
    following(Changed(1, ONE), journal=journal).look()
    conf.change({})

    look(journal)

    assert conf.current().email_batch_size == 1
    assert handed_out(journal) == Changed(1, ONE)


def test_what_the_store_has_lost_is_handed_out_again() -> None:
    journal = MemoryJournal()
    found = following(Changed(1, ONE), journal=journal)
    found.look()
    journal.delete(DOCUMENT)

    found.look()

    assert handed_out(journal) == Changed(1, ONE)


def test_without_the_database_what_was_handed_out_is_in_force() -> None:
    journal = MemoryJournal()
    following(Changed(1, ONE), journal=journal).look()
    conf.change({})

    successor = following(OperationalError("away"), journal=journal)

    assert successor.look()
    assert (conf.current().email_batch_size, successor.revision) == (1, 1)
    assert not successor.look()


def test_a_project_without_the_tables_has_nothing_changed() -> None:
    found = following(OperationalError("no such table"))

    assert not found.look()
    assert found.revision == 0


@pytest.mark.parametrize("document", [b"", b"{", b"[]", b'{"revision": 1}'])
def test_a_document_that_cannot_be_read_is_none(document: bytes) -> None:
    journal = MemoryJournal()
    journal.put(DOCUMENT, document)

    look(journal)

    assert handed_out(journal) is None
    assert conf.current().email_batch_size == 5
