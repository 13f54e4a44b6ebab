from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import override_settings

from alerting import history
from alerting.alert import Kind
from alerting.journal import MemoryJournal
from alerting.labels import frozen
from alerting.models import Alert, AlertTransition, Delivery
from alerting.notifications.policy import Cancellation
from alerting.notifications.telling import Outcome
from alerting.record import Record
from alerting.times import from_datetime, to_datetime
from tests.support.alerting_world import World, alerts
from tests.support.notices import AT, notice, resolution, telling

pytestmark = pytest.mark.django_db
RECORD = Record((notice(),), (telling(),))


def test_a_scope_is_its_labels() -> None:
    assert history.scope_name(frozen({"host.name": "web1"})) == "host.name=web1"
    assert history.scope_name(()) == ""


def test_a_record_is_kept_whole() -> None:
    seen = history.write(RECORD, scope="s", seen=0)

    assert seen == history.last_transition("s") == AlertTransition.objects.get().id
    assert history.open_notices("s") == [notice()]
    assert history.tellings("s", since=AT) == [telling()]
    assert history.episodes([notice().fingerprint]) == {notice().fingerprint: 1}


def test_other_scopes_are_other_worlds() -> None:
    history.write(RECORD, scope="s", seen=0)

    assert history.last_transition("other") == 0
    assert history.open_notices("other") == []
    assert history.tellings("other", since=0) == []


def test_only_what_still_matters_is_read() -> None:
    seen = history.write(
        Record((notice(),), (telling(state=Outcome.SENT),)), scope="", seen=0
    )
    assert len(history.tellings("", since=AT + 1)) == 1  # its alert is open

    history.write(Record((resolution(),)), scope="", seen=seen)

    assert history.tellings("", since=AT + 1) == []
    assert len(history.tellings("", since=AT)) == 1
    assert history.open_notices("") == []


def test_an_episode_cannot_be_recorded_twice() -> None:
    seen = history.write(RECORD, scope="", seen=0)

    with pytest.raises(history.Conflict):
        history.write(RECORD, scope="", seen=seen)

    assert Delivery.objects.count() == 1


def test_a_step_cannot_be_taken_twice() -> None:
    seen = history.write(RECORD, scope="", seen=0)
    seen = history.write(Record((resolution(),)), scope="", seen=seen)

    with pytest.raises(history.Conflict):
        history.write(Record((resolution(),)), scope="", seen=seen)


def test_a_step_of_an_unknown_alert_is_a_conflict() -> None:
    with pytest.raises(history.Conflict):
        history.write(Record((resolution(),)), scope="", seen=0)


def test_who_has_not_seen_the_latest_transition_is_late() -> None:
    history.write(RECORD, scope="", seen=0)
    other = notice(alert_id="11111111-2222-3333-4444-666666666666", fingerprint="o")

    with pytest.raises(history.Conflict):
        history.write(Record((other,)), scope="", seen=0)

    assert Alert.objects.count() == 1


def test_what_is_cancelled_has_its_reason() -> None:
    seen = history.write(RECORD, scope="", seen=0)

    cancelled = (Cancellation(telling().key, "over"),)
    history.write(Record((resolution(),), (), cancelled), scope="", seen=seen)

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.reason) == ("skipped", "over")
    assert delivery.settled_at is not None


def test_what_is_on_its_way_cannot_be_cancelled() -> None:
    seen = history.write(RECORD, scope="", seen=0)
    Delivery.objects.update(attempts=1)

    cancelled = (Cancellation(telling().key, "over"),)
    with pytest.raises(history.Conflict):
        history.write(Record((resolution(),), (), cancelled), scope="", seen=seen)

    assert Alert.objects.get().state == "firing"


def test_an_alert_shows_what_last_alarmed_and_the_worst_it_was() -> None:
    seen = history.write(RECORD, scope="", seen=0)
    worse = notice(
        kind=Kind.ESCALATED, sequence=2, value=0.5, message="worse", evidence={"a": 1}
    )
    seen = history.write(Record((worse,)), scope="", seen=seen)
    history.write(Record((resolution(sequence=3),)), scope="", seen=seen)

    alert = Alert.objects.get()
    assert (alert.value, alert.message, alert.evidence) == (0.5, "worse", {"a": 1})
    assert (alert.severity, alert.state, alert.sequence) == ("critical", "resolved", 3)
    assert from_datetime(alert.resolved_at or alert.fired_at) == AT + 600


@pytest.mark.parametrize("use_tz", [True, False])
def test_times_are_the_same_with_and_without_time_zones(use_tz: bool) -> None:
    with override_settings(USE_TZ=use_tz, TIME_ZONE="America/New_York"):
        assert from_datetime(to_datetime(AT + 0.25)) == AT + 0.25


class ToOther:
    """Send alerting to the second database."""

    def db_for_read(self, model: type, **_: object) -> str | None:
        return "other" if model.__module__ == "alerting.models" else None

    db_for_write = db_for_read


@pytest.fixture
def _elsewhere() -> Iterator[None]:
    with override_settings(DATABASE_ROUTERS=[f"{ToOther.__module__}.ToOther"]):
        yield


@pytest.mark.django_db(databases=["default", "other"])
@pytest.mark.usefixtures("_elsewhere")
def test_everything_works_in_another_database() -> None:
    world = World()
    world.channel.fails(times=1)

    for value in (0.85, 0.95, 0.5):
        world.step(value, after=60)
    world.successor(journal=MemoryJournal()).step(0.5, after=3600)

    assert len(world.channel.sent) == 3
    assert alerts() == [("high_cpu_usage", "critical", "resolved")]
    assert Alert.objects.using("other").count() == 1
    assert Alert.objects.using("default").count() == 0


def test_rows_have_a_name_for_people() -> None:
    history.write(RECORD, scope="", seen=0)

    assert str(Alert.objects.get()) == "deals_errors (critical, firing)"
    assert str(AlertTransition.objects.get()) == "firing (critical)"
    assert str(Delivery.objects.get()) == "firing by email: due"
