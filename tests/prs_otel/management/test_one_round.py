from __future__ import annotations

import time
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from prs_otel import maintenance, pipeline
from prs_otel.maintenance import Cleaned
from prs_otel.monitoring import registry
from prs_otel.monitoring.registry import RoundRequest
from prs_otel.plan import Plan
from prs_otel.store.base import Store
from tests.support.commands import Outcome
from tests.support.measured import Measured

STEP: dict[str, Any] = {
    "alert": "high_cpu_usage",
    "kind": "firing",
    "severity": "critical",
    "labels": {"host.name": "a-rather-long-name-of-a-host", "http.route": "/deals/"},
    "value": 0.951234,
    "threshold": None,
    "message": "busy",
}
TOLD: dict[str, Any] = {
    "alert": "high_cpu_usage",
    "kind": "firing",
    "severity": "critical",
    "channel": "email",
    "outcome": "sent",
    "reason": "",
}


@dataclass
class Alerting:
    """Stands for the other package; keeps what it was asked."""

    answer: dict[str, Any] = field(default_factory=dict)
    asked: list[RoundRequest] = field(default_factory=list)

    def __call__(self, request: RoundRequest) -> dict[str, Any]:
        self.asked.append(request)
        usual: dict[str, Any] = {
            "is_dry": request.lease is None,
            "rules": 7,
            "alerts": [],
            "notifications": [],
            "problems": [],
        }
        return {**usual, **self.answer}


@pytest.fixture
def alerting(monkeypatch: pytest.MonkeyPatch) -> Alerting:
    monkeypatch.setattr(registry, "_round_builders", {})
    monkeypatch.setenv("COLUMNS", "80")
    found = Alerting()
    registry.register_round("alerting", found)
    return found


def run(*arguments: str) -> Outcome:
    out, code = StringIO(), 0
    try:
        call_command("run_monitoring", *arguments, stdout=out, no_color=True)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return Outcome(out.getvalue(), code)


def test_one_round_evaluates_with_the_lease_compacts_and_gives_it_back(
    measured: Measured, alerting: Alerting
) -> None:
    alerting.answer = {"alerts": [STEP], "notifications": [TOLD]}

    done = run("--once")

    (request,) = alerting.asked
    assert request.lease is not None
    assert maintenance.holder(measured.view.store) is None
    assert done.exit_code == 0
    assert "Rules evaluated: 7" in done.text
    assert "0.9512" in done.text
    assert "sent" in done.text
    assert "Buckets compacted: 0 into 0" in done.text
    assert max(map(len, done.text.splitlines())) <= 80


@pytest.mark.usefixtures("measured")
def test_one_round_is_a_document_too(alerting: Alerting) -> None:
    document = run("--once", "--format", "json").json()

    assert document["alerting"]["rules"] == 7
    assert document["compaction"]["action"] == "compact"
    assert document["cleanup"]["action"] == "cleanup"
    assert len(alerting.asked) == 1


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"problems": ["The rule x cannot be evaluated"]}, "- The rule x cannot be"),
        ({"notifications": [{**TOLD, "outcome": "dead", "reason": "550"}]}, "550"),
    ],
)
def test_what_could_not_be_done_is_told_by_the_exit_code(
    alerting: Alerting, answer: dict[str, Any], said: str
) -> None:
    alerting.answer = answer

    for option in ("--once", "--dry-run"):
        done = run(option)
        assert done.exit_code == 1
        assert said in done.text


def test_a_dry_run_has_no_lease_and_leaves_the_leader_alone(
    measured: Measured, alerting: Alerting
) -> None:
    alerting.answer = {"alerts": [STEP], "notifications": [{**TOLD, "outcome": "due"}]}

    with maintenance.leading(measured.view.store, now=time.time()):
        done = run("--dry-run")
        both = run("--once", "--dry-run")

    assert [request.lease for request in alerting.asked] == [None, None]
    assert (done.exit_code, both.exit_code) == (0, 0)
    assert "Alerts that would change" in done.text
    assert "Notifications that would be due" in done.text
    assert "compacted" not in done.text


def test_where_somebody_leads_nothing_is_done_twice(
    measured: Measured, alerting: Alerting
) -> None:
    with maintenance.leading(measured.view.store, now=time.time()) as lease:
        done = run("--once")
        document = run("--once", "--format=json").json()

    assert lease is not None
    assert done.exit_code == 1
    assert f"Process {lease.pid} on {lease.host} leads" in done.text
    assert document["alerting"] is None
    assert alerting.asked == []


@pytest.mark.usefixtures("measured")
def test_a_round_keeps_the_store_within_its_bounds_as_a_leader_would(
    measured: Measured, alerting: Alerting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cleaned(store: Store, plan: Plan, now: float) -> Cleaned:
        assert maintenance.holder(store) is not None
        return Cleaned(2, 3, 4, 5, 6)

    monkeypatch.setattr(maintenance, "cleanup", cleaned)

    done, document = run("--once"), run("--once", "--format=json").json()

    assert "Buckets dropped, too old or too many: 5" in done.text
    assert document["cleanup"]["evicted_buckets"] == 3


def test_without_alerting_a_round_compacts_and_a_dry_one_has_nothing_to_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "_round_builders", {})

    assert "Alerting is not installed" in run("--once").text
    with pytest.raises(CommandError, match="Alerting is not installed"):
        run("--dry-run")


@pytest.mark.usefixtures("measured")
def test_a_mistake_is_answered_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="add --once or --dry-run") as refused:
        run("--format=json")
    assert refused.value.returncode == 2

    monkeypatch.setattr(pipeline, "is_enabled", lambda: False)
    with pytest.raises(CommandError, match="switched off") as refused:
        run("--once")
    assert refused.value.returncode == 2


def test_the_lease_is_given_back_when_the_round_fails(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: RoundRequest) -> dict[str, Any]:
        raise ZeroDivisionError

    monkeypatch.setattr(registry, "_round_builders", {"alerting": fails})

    with pytest.raises(ZeroDivisionError):
        run("--once")

    assert maintenance.holder(measured.view.store) is None


@pytest.mark.usefixtures("alerting")
def test_one_round_reads_the_host_before_it_evaluates_and_a_dry_one_does_not(
    monkeypatch: pytest.MonkeyPatch, measured: Measured
) -> None:
    done: list[str] = []

    def carry_out(request: RoundRequest) -> dict[str, Any]:
        done.append("dry" if request.lease is None else "evaluate")
        return Alerting()(request)

    registry.register_round("alerting", carry_out)
    worker = pipeline.current().worker
    monkeypatch.setattr(worker, "sample_host", lambda: done.append("sample"))

    run("--dry-run")
    run("--once")

    assert done == ["dry", "sample", "evaluate"]
