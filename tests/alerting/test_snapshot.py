from __future__ import annotations

from dataclasses import replace

import pytest

from alerting.alert import AlertState, Kind, State
from alerting.notice import Notice
from alerting.snapshot import Snapshot, reconciled
from tests.support.notices import AT, notice, resolution, telling

NAME, LABELS = notice().name, notice().labels
KEY = (NAME, LABELS)
PENDING = AlertState(NAME, LABELS, state=State.PENDING, at=AT)
FIRING = replace(notice().to_state(), value=0.99)


def after(
    saved: list[AlertState], notices: list[Notice], *, is_complete: bool = True
) -> list[AlertState]:
    return list(reconciled(saved, notices, is_complete=is_complete).values())


def test_a_snapshot_survives_as_bytes() -> None:
    snapshot = Snapshot("me", (PENDING, FIRING), (telling(),))

    assert Snapshot.from_bytes(snapshot.to_bytes()) == snapshot


@pytest.mark.parametrize("document", [None, b"", b"{", b'{"holder": 5}'])
def test_a_snapshot_that_cannot_be_read_is_empty(document: bytes | None) -> None:
    assert Snapshot.from_bytes(document) == Snapshot()


def test_what_has_not_fired_is_known_from_the_snapshot_alone() -> None:
    assert after([PENDING], []) == [PENDING]


def test_an_open_alert_that_is_recorded_goes_on_with_the_time_it_has_served() -> None:
    assert after([FIRING], [notice()]) == [FIRING]


def test_a_record_that_is_newer_than_the_snapshot_counts() -> None:
    worse = notice(sequence=2, kind=Kind.ESCALATED, at=AT + 60)

    assert after([FIRING], [worse]) == [worse.to_state()]
    assert after([PENDING], [notice()]) == [notice().to_state()]
    assert after([], [notice()]) == [notice().to_state()]


def test_an_alert_that_is_open_nowhere_else_is_not_open() -> None:
    assert after([FIRING], []) == []


def test_without_the_database_what_is_remembered_as_open_is_open() -> None:
    assert after([FIRING], [], is_complete=False) == [FIRING]


def test_without_the_database_a_journalled_resolution_ends_its_episode() -> None:
    assert after([FIRING], [notice(), resolution()], is_complete=False) == []
    assert after([], [notice(), resolution()], is_complete=False) == []


def test_an_old_resolution_does_not_end_a_new_episode() -> None:
    newer = replace(FIRING, alert_id="newer")

    assert after([newer], [resolution()], is_complete=False) == [newer]
