from __future__ import annotations

import io
import sys
from typing import NoReturn

import pytest
from django.core.management import CommandError

from prs_otel import maintenance
from prs_otel.monitoring import registry
from tests.support.commands import manage_monitoring
from tests.support.measured import Measured


class Terminal(io.StringIO):
    """Standard input with a person behind it."""

    def isatty(self) -> bool:
        return True


class Interrupted:
    """Standard input of a person who presses Ctrl-C."""

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def _nobody_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "PATIENCE", 0.0)


def count(measured: Measured) -> int:
    return measured.view.window(600, now=measured.now).total("request").count


def test_a_cleanup_says_what_was_done(measured: Measured) -> None:
    assert manage_monitoring("cleanup", "--format", "json").json() == {
        "action": "cleanup",
        "expired_buckets": 0,
        "evicted_buckets": 0,
        "removed_bytes": 0,
        "removed_queries": 0,
        "removed_processes": 0,
        "removed_rows": {},
        "problems": [],
    }
    assert manage_monitoring("cleanup").text.splitlines() == [
        "expired buckets    0",
        "evicted buckets    0",
        "removed            0 B",
        "removed queries    0",
        "removed processes  0",
    ]


@pytest.mark.usefixtures("measured")
def test_a_cleanup_says_what_other_packages_have_dropped_or_why_not() -> None:
    def fails(_: float) -> NoReturn:
        raise OSError("password=secret")

    registry.register_cleanup("broken", fails)
    registry.register_cleanup("alerting", lambda _: {"alerts": 2, "rule_changes": 1})

    done = manage_monitoring("cleanup")
    document = manage_monitoring("cleanup", "--format", "json").json()

    assert done.exit_code == 1
    assert done.text.splitlines()[-3:] == [
        "removed alerts        2",
        "removed rule changes  1",
        "Nothing could be removed of broken: OSError",
    ]
    assert document["removed_rows"] == {"alerts": 2, "rule_changes": 1}
    assert document["problems"] == ["broken: OSError"]


@pytest.mark.parametrize(
    ("stdin", "said", "exit_code"),
    [
        (Terminal("\n"), "Nothing was reset.", 1),
        (Terminal("no\n"), "Nothing was reset.", 1),
        (Terminal(""), "Nothing was reset.", 1),
        (Interrupted(), "Nothing was reset.", 1),
        (io.StringIO("yes\n"), "--yes confirms", 2),
    ],
)
def test_without_a_yes_nothing_is_reset(
    measured: Measured,
    monkeypatch: pytest.MonkeyPatch,
    stdin: io.StringIO | Interrupted,
    said: str,
    exit_code: int,
) -> None:
    measured.request()
    measured.flush()
    monkeypatch.setattr(sys, "stdin", stdin)

    with pytest.raises(CommandError, match=said) as raised:
        manage_monitoring("reset-counters")

    assert raised.value.returncode == exit_code
    assert count(measured) == 1


@pytest.mark.parametrize("answer", ["y\n", " Yes\n"])
def test_a_person_may_say_yes(
    measured: Measured,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: str,
) -> None:
    measured.request()
    measured.flush()
    monkeypatch.setattr(sys, "stdin", Terminal(answer))

    outcome = manage_monitoring("reset-counters", "--format", "json")

    assert outcome.json()["removed_buckets"] == 1
    assert "Go on?" in capsys.readouterr().err


def test_a_confirmed_reset_starts_from_zero(measured: Measured) -> None:
    measured.request()
    measured.flush()

    lines = manage_monitoring("reset-counters", "--yes").text.splitlines()

    assert lines[0] == "removed buckets          1"
    assert lines[-1] == "processes not heard of   1"
    assert count(measured) == 0
