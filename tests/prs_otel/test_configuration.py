from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import Error
from django.test import override_settings

from prs_otel import changes, conf, configuration, guard, pipeline
from prs_otel.configuration import ContendedError, RefusedError
from prs_otel.distribution import Changed, distribute, distributed
from prs_otel.models import Configuration, SettingChange
from prs_otel.store.base import Lease, Store, StoreError
from tests.prs_otel.rollup.stored import new_store

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _changes_are_forgotten() -> Iterator[None]:
    yield
    conf.change({})


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root")


def change(user: User, **asked: object) -> Changed:
    return configuration.change(asked, user=user, now=NOW)


# --- The database ---------------------------------------------------------------------


def test_a_change_is_kept_and_audited_and_can_be_taken_back(root: User) -> None:
    change(root, SLOW_QUERY_THRESHOLD=0.5, FLUSH_INTERVAL=2)
    change(root, SLOW_QUERY_THRESHOLD=0.25)
    change(root, SLOW_QUERY_THRESHOLD=None)

    assert configuration.stored() == Changed(3, {"FLUSH_INTERVAL": 2})
    audit = SettingChange.objects.values_list(
        "revision", "username", "key", "old", "new"
    )
    assert list(audit) == [
        (3, "root", "SLOW_QUERY_THRESHOLD", 0.25, None),
        (2, "root", "SLOW_QUERY_THRESHOLD", 0.5, 0.25),
        (1, "root", "SLOW_QUERY_THRESHOLD", None, 0.5),
        (1, "root", "FLUSH_INTERVAL", None, 2),
    ]


def test_what_is_so_already_is_no_change(root: User) -> None:
    made = [change(root, FLUSH_INTERVAL=2.0) for _ in range(2)]

    assert made == [Changed(1, {"FLUSH_INTERVAL": 2.0})] * 2
    assert change(root) == change(root, SLOW_API_THRESHOLD=None) == made[0]
    assert SettingChange.objects.count() == 1


def test_the_audit_outlives_who_made_the_change(root: User) -> None:
    change(root, FLUSH_INTERVAL=2.0)

    root.delete()

    (row,) = SettingChange.objects.all()
    assert (row.username, row.user_id) == ("root", None)


def test_a_change_made_meanwhile_by_somebody_else_is_not_lost(
    root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = changes.refusals
    others = iter([{"CPU_CRITICAL_THRESHOLD": 82}])

    def refusals(asked: Any, *, stored: Any) -> Any:
        found = judge(asked, stored=stored)
        for other in others:
            configuration.change(other, user=root, now=NOW)
        return found

    monkeypatch.setattr(changes, "refusals", refusals)

    # Right when it was judged first, but not any more.
    with pytest.raises(RefusedError, match="85"):
        change(root, CPU_WARNING_THRESHOLD=85)

    assert configuration.stored().changes == {"CPU_CRITICAL_THRESHOLD": 82}


def test_who_is_never_first_is_told(
    root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(configuration, "_keep", lambda *_, **__: False)

    with pytest.raises(ContendedError):
        change(root, FLUSH_INTERVAL=2.0)


# --- What is refused ------------------------------------------------------------------


@override_settings(MONITORING_SETTINGS={"MEMORY_CRITICAL_THRESHOLD": 70})
def test_a_mistake_of_the_settings_file_is_not_blamed_on_a_change() -> None:
    assert changes.refusals({"FLUSH_INTERVAL": 2}, stored={}) == []
    assert changes.refusals({"MEMORY_WARNING_THRESHOLD": None}, stored={}) == []
    assert changes.refusals({"MEMORY_WARNING_THRESHOLD": 60}, stored={}) == []


def test_taking_a_change_back_is_judged_by_what_then_comes_into_force() -> None:
    stored = {"CPU_WARNING_THRESHOLD": 60, "CPU_CRITICAL_THRESHOLD": 70}

    (refusal,) = changes.refusals({"CPU_WARNING_THRESHOLD": None}, stored=stored)
    assert (refusal.key, refusal.kind) == ("CPU_WARNING_THRESHOLD", "conflict")

    (refusal,) = changes.refusals({"CPU_CRITICAL_THRESHOLD": 50}, stored=stored)
    assert refusal.key == "CPU_CRITICAL_THRESHOLD"
    both = {"CPU_WARNING_THRESHOLD": None, "CPU_CRITICAL_THRESHOLD": None}
    assert changes.refusals(both, stored=stored) == []


@override_settings(MONITORING_SETTINGS={"CPU_CRITICAL_THRESHOLD": 82})
def test_what_the_settings_file_contradicts_cannot_be_changed_to_again() -> None:
    stored = {"CPU_WARNING_THRESHOLD": 85}

    assert changes.refusals({"FLUSH_INTERVAL": 2}, stored=stored) == []
    assert changes.refusals({"CPU_WARNING_THRESHOLD": 85}, stored=stored)


# --- What the settings file contradicts -----------------------------------------------


@override_settings(MONITORING_SETTINGS={"CPU_CRITICAL_THRESHOLD": 82})
def test_only_the_change_that_is_contradicted_is_ignored(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, "prs_otel"):
        conf.change(
            {
                "CPU_WARNING_THRESHOLD": 85,
                "DISK_WARNING_THRESHOLD": 96,
                "DISK_CRITICAL_THRESHOLD": 97,
                "GONE": 1,
                "SERIES_LIMIT": 5,
                "SLOW_QUERY_THRESHOLD": 0.5,
            }
        )

    found = conf.current()
    assert (found.cpu_warning_threshold, found.cpu_critical_threshold) == (80, 82)
    assert (found.disk_warning_threshold, found.disk_critical_threshold) == (96, 97)
    assert (found.slow_query_threshold, found.series_limit) == (0.5, 2000)
    assert [record.getMessage().split()[3] for record in caplog.records] == [
        "SERIES_LIMIT",
        "GONE",
        "CPU_WARNING_THRESHOLD",
    ]


def test_changes_that_contradict_one_another_are_both_ignored() -> None:
    _, ignored = conf.changed_by(
        {"CPU_WARNING_THRESHOLD": 85, "CPU_CRITICAL_THRESHOLD": 84}
    )

    keys = {each.key for each in ignored}
    assert keys == {"CPU_WARNING_THRESHOLD", "CPU_CRITICAL_THRESHOLD"}


def test_what_can_be_changed_are_settings_and_none_that_shapes_a_process() -> None:
    assert set(changes.keys()) > conf.FOLLOWED
    assert not conf.FOLLOWED & {"ENABLED", "STORE", "STORE_QUOTA_MB", "SERIES_LIMIT"}


@pytest.mark.parametrize("key", sorted(conf.FOLLOWED))
def test_whatever_can_be_changed_changes_what_is_in_force(key: str) -> None:
    before = getattr(conf.current(), key.lower())

    # Small enough for a warning below its critical, and the other way round.
    conf.change({key: before + 1})

    assert getattr(conf.current(), key.lower()) == before + 1


# --- The store ------------------------------------------------------------------------


@pytest.fixture
def store() -> Store:
    return new_store()


def test_the_leader_hands_out_what_the_store_has_lost_or_never_had(
    root: User, store: Store
) -> None:
    made = change(root, FLUSH_INTERVAL=2.0)

    assert configuration.look(store) == 5.0
    assert distributed(store) == made
    assert not configuration.republish(store)

    store.delete("configuration")
    assert configuration.republish(store)
    assert distributed(store) == made


def test_a_leader_looks_until_it_is_one_no_more(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = threading.Event()

    def look(at: Store) -> float:
        assert at is store
        looked.set()
        return 3600.0

    monkeypatch.setattr(pipeline, "store", lambda: store)
    monkeypatch.setattr(configuration, "look", look)

    stop = configuration.start(Lease("leader", "w", "web-1", 1, 1, 0.0))
    assert looked.wait(10)
    stop()

    assert "prs-otel-configuration" not in {each.name for each in threading.enumerate()}


def test_the_leader_corrects_what_was_handed_out_but_never_committed(
    root: User, store: Store
) -> None:
    distribute(store, Changed(9, {"FLUSH_INTERVAL": 9.0}))

    configuration.look(store)

    assert distributed(store) == Changed()


@pytest.mark.django_db
def test_without_a_database_the_last_that_was_handed_out_stays_in_force(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> Changed:
        raise Error("no such table")

    monkeypatch.setattr(configuration, "stored", broken)
    configuration.look(store)
    # Nothing was ever changed: whoever has not migrated need not hear of it.
    assert guard.report() == {}

    distribute(store, Changed(3, {"FLUSH_INTERVAL": 2.0}))
    configuration.look(store)

    assert guard.report() == {"configuration.publish": 1}
    assert distributed(store) == Changed(3, {"FLUSH_INTERVAL": 2.0})


@pytest.mark.django_db
def test_a_store_out_of_order_is_tried_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise StoreError("disk full")

    monkeypatch.setattr(store, "put", broken)

    configuration.look(store)

    assert guard.report() == {"configuration.publish": 1}


def test_there_is_one_row(root: User) -> None:
    for interval in (1.0, 2.0):
        change(root, FLUSH_INTERVAL=interval)

    (row,) = Configuration.objects.all()
    assert str(row) == "revision 2"
    assert str(SettingChange.objects.first()) == "FLUSH_INTERVAL by root"
