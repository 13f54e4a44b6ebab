from __future__ import annotations

import json

import pytest

from alerting.alert import Kind, Progress, State
from alerting.notice import Notice, alert_id
from alerting.notifications.policy import Cancellation
from alerting.notifications.telling import Outcome, Telling
from alerting.record import Record
from alerting.rules import Severity
from tests.support.notices import AT, notice, resolution, telling


def test_an_episode_has_the_same_id_for_everybody() -> None:
    assert alert_id("a" * 32, 1) == "098074de-b531-5368-99b7-342fb48e0bf8"
    assert alert_id("a" * 32, 1) != alert_id("a" * 32, 2)


def test_a_notice_survives_json() -> None:
    full = notice(
        aggregation="p95",
        evidence={"traces": ["t"]},
        annotations={"a": "b"},
        rule_labels=(("team", "x"),),
        previous_severity=Severity.WARNING,
    )

    assert Notice.from_json(json.loads(json.dumps(full.to_json()))) == full


def test_a_notice_of_a_version_without_aggregation_can_be_read() -> None:
    stored = notice(aggregation="count").to_json()
    del stored["aggregation"]

    assert Notice.from_json(stored) == notice()


def test_what_is_no_notice_is_refused() -> None:
    with pytest.raises(ValueError, match="alert_id"):
        Notice.from_json({})


def test_an_alert_goes_on_from_its_notice() -> None:
    state = notice().to_state()

    assert (state.state, state.severity) == (State.FIRING, Severity.CRITICAL)
    assert (state.alert_id, state.sequence) == (notice().alert_id, 1)
    assert (state.started_at, state.fired_at, state.at) == (AT - 60, AT, AT)
    assert all(mine.is_firing for mine in state.progress)


def test_a_recovering_alert_goes_on_recovering_from_its_notice() -> None:
    state = notice(kind=Kind.RECOVERING, state=State.RECOVERING).to_state()

    assert state.progress[-1] == Progress(
        Severity.CRITICAL, AT - 60, is_firing=True, clear_since=AT
    )


def test_a_telling_survives_json() -> None:
    full = telling(state=Outcome.SENT, recipients=("alice",), is_digest=True)

    assert Telling.from_json(json.loads(json.dumps(full.to_json()))) == full


def test_a_record_survives_json() -> None:
    record = Record(
        (notice(), resolution()), (telling(),), (Cancellation("key", "why"),)
    )

    assert Record.from_json(json.loads(json.dumps(record.to_json()))) == record
    assert not record.is_empty
    assert Record().is_empty


@pytest.mark.parametrize("document", [None, {}, {"notices": [{}]}, []])
def test_what_is_no_record_is_refused(document: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Record.from_json(document)  # type: ignore[arg-type]
