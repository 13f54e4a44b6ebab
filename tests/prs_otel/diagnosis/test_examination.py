from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from prs_otel.diagnosis import Finding, Surroundings, examination, examined
from prs_otel.monitoring import registry
from prs_otel.monitoring.registry import StatusRequest
from tests.support.surroundings import NOW, alone, surroundings

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nobody_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_findings_builders", {})


def test_an_examination_that_fails_is_a_finding_and_keeps_no_other_from_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(around: Surroundings) -> Iterator[Finding]:
        yield Finding("store", "ok", "so far so good")
        raise LookupError("no such thing")

    monkeypatch.setitem(examination.EXAMINATIONS, "store", fail)

    found = examined(surroundings())

    messages = [each.message for each in found if each.topic == "store"]
    assert messages == [
        "so far so good",
        "This could not be examined: LookupError: no such thing",
    ]
    assert found[-1].topic == "database"


def test_a_project_that_is_well_is_told_nothing_else(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "store.sqlite3").write_bytes(b"")

    assert {each.level for each in examined(surroundings(tmp_path))} == {"ok"}


def test_other_packages_are_asked_and_told_since_when_anybody_works() -> None:
    asked: list[StatusRequest] = []

    def build(request: StatusRequest) -> list[Finding]:
        asked.append(request)
        return [Finding("", "warning", "nobody to tell", "name somebody")]

    registry.register_findings("alerting", build)
    found = examined(surroundings())
    examined(alone())

    assert found[-1] == Finding(
        "alerting", "warning", "nobody to tell", "name somebody"
    )
    assert asked == [StatusRequest(NOW, NOW - 600), StatusRequest(NOW, None)]
