from __future__ import annotations

import pytest

from prs_otel.rollup import series
from prs_otel.rollup.deploys import KEPT
from prs_otel.rollup.digest import Selection
from prs_otel.rollup.gauge import reading
from prs_otel.rollup.view import MetricsView
from prs_otel.store.base import Store
from tests.prs_otel.rollup.stored import Writer, new_store, new_view

NOW = 1_700_000_000.0


@pytest.fixture
def store() -> Store:
    return new_store()


@pytest.fixture
def view(store: Store) -> MetricsView:
    return new_view(store)


def say(writer: Writer, version: str, *, at: float) -> None:
    """Let a worker say which version it serves, in a bucket that begins five seconds before."""
    gauge = reading(1.0, at)
    writer.append(gauges={(series.VERSION_GAUGE, (version,)): gauge}, at=at)


def deploys(view: MetricsView) -> list[tuple[float, str]]:
    drawn = view.trend(Selection(), seconds=3_600.0, step=60, now=NOW)
    return [(each.at - NOW, each.version) for each in drawn.deploys]


def test_the_version_that_was_there_before_is_no_deploy(
    store: Store, view: MetricsView
) -> None:
    say(Writer(store), "1", at=NOW - 600)
    Writer(store, "w2").append(gauges={("g", ("h",)): reading(1.0, NOW)}, at=NOW - 300)

    assert deploys(view) == []


def test_another_version_is_a_deploy_from_its_first_bucket_on(
    store: Store, view: MetricsView
) -> None:
    writer = Writer(store)
    for at, version in ((-600, "1"), (-500, "2"), (-400, "2")):
        say(writer, version, at=NOW + at)

    assert deploys(view) == [(-505.0, "2")]


def test_workers_that_are_replaced_one_by_one_are_one_deploy(
    store: Store, view: MetricsView
) -> None:
    first, second = Writer(store, "w1"), Writer(store, "w2")
    for at in range(-600, -300, 30):
        say(first, "1", at=NOW + at)
        say(second, "2", at=NOW + at + 5)

    assert deploys(view) == [(-600.0, "2")]


def test_a_version_that_comes_back_was_deployed_again(
    store: Store, view: MetricsView
) -> None:
    writer = Writer(store)
    for at, version in ((-1_500, "1"), (-1_400, "2"), (-1_000, "2"), (-900, "1")):
        say(writer, version, at=NOW + at)

    assert deploys(view) == [(-1_405.0, "2"), (-905.0, "1")]


def test_a_version_that_was_merely_silent_is_no_deploy(
    store: Store, view: MetricsView
) -> None:
    writer = Writer(store)
    for at, version in ((-3_000, "1"), (-2_900, "2"), (-900, "2")):
        say(writer, version, at=NOW + at)

    assert deploys(view) == [(-2_905.0, "2")]


def test_the_latest_hundred_are_told(store: Store, view: MetricsView) -> None:
    writer = Writer(store)
    for number in range(KEPT + 2):
        say(writer, str(number), at=NOW - 3_000 + 10 * number)

    told = deploys(view)

    assert len(told) == KEPT
    assert told[-1][1] == str(KEPT + 1)
