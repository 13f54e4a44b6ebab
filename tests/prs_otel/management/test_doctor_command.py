from __future__ import annotations

import pytest

from prs_otel import diagnosis
from prs_otel.diagnosis import Finding
from tests.support.commands import Outcome, manage_monitoring
from tests.support.measured import Measured
from tests.support.surroundings import surroundings

WELL = Finding("settings", "ok", "The settings are library.settings.")
WARNING = Finding(
    "store", "warning", f"Nobody has written to {'/a/long/path' * 8} yet.", "Start it."
)
CRITICAL = Finding("server", "critical", "It runs as www-data.", "sudo -u www-data …")


@pytest.fixture
def told(measured: Measured, monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """Return what will be found."""
    found: list[Finding] = []
    monkeypatch.setattr(diagnosis, "look_around", lambda **_: surroundings())
    monkeypatch.setattr(diagnosis, "examined", lambda _: found)
    return found


def asked(told: list[Finding], *found: Finding) -> Outcome:
    told[:] = found
    return manage_monitoring("doctor")


def test_the_worst_finding_is_the_exit_code(told: list[Finding]) -> None:
    assert asked(told, WELL).exit_code == 0
    assert asked(told, WELL, WARNING).exit_code == 1
    assert asked(told, WELL, CRITICAL, WARNING).exit_code == 2
    assert asked(told).exit_code == 0


def test_findings_are_grouped_with_their_remedies(told: list[Finding]) -> None:
    lines = asked(told, WELL, WARNING, CRITICAL).text.splitlines()

    assert lines[0] == "Found: 1 critical, 1 warning."
    assert [line for line in lines if line in {"settings", "store", "server"}] == [
        "settings",
        "store",
        "server",
    ]
    assert "!!  It runs as www-data." in lines
    assert "    > sudo -u www-data …" in lines
    # A path is for copying, so it is the only thing that may be wider.
    assert [line for line in lines if len(line) > 80] == [f"    {'/a/long/path' * 8}"]


def test_all_is_well(told: list[Finding]) -> None:
    assert asked(told, WELL).text.splitlines()[0] == "Nothing is wrong."


def test_json_has_every_finding(told: list[Finding]) -> None:
    told[:] = [WELL, CRITICAL]

    document = manage_monitoring("doctor", "--format=json").json()

    assert document["status"] == "critical"
    assert document["findings"][1] == {
        "topic": "server",
        "level": "critical",
        "message": "It runs as www-data.",
        "remedy": "sudo -u www-data …",
    }
