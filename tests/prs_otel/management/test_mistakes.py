"""Whatever is typed, and whatever is broken: words, an exit code, no traceback."""

from __future__ import annotations

import json
from typing import NoReturn

import pytest
from django.core.management import CommandError
from django.db import OperationalError

from prs_otel import pipeline
from prs_otel.launcher import deferral
from prs_otel.management.commands.manage_monitoring import Command
from prs_otel.management.subcommands import SUBCOMMANDS
from prs_otel.management.subcommands.summary import ShowSummary
from prs_otel.management.subcommands.token import Tokens
from prs_otel.store.base import StoreError
from tests.support.commands import manage_monitoring
from tests.support.measured import Measured

NAMES = [subcommand.name for subcommand in SUBCOMMANDS]
LOOKS_BACK = ["summary", "alerts", "export-metrics"]
READS = ["summary", "export-metrics", "top"]


def refused(*arguments: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        manage_monitoring(*arguments)
    return caught.value


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("measured")
def test_every_subcommand_refuses_an_option_it_does_not_have(name: str) -> None:
    refused(name, "--no-such-option")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("measured")
def test_every_subcommand_refuses_a_format_it_does_not_have(name: str) -> None:
    assert "yaml" in str(refused(name, "--format", "yaml"))


@pytest.mark.parametrize("name", LOOKS_BACK)
@pytest.mark.parametrize("hours", ["0", "-1", "8761", "nan", "inf", "x", ""])
@pytest.mark.usefixtures("measured")
def test_hours_are_above_zero_and_up_to_a_year(name: str, hours: str) -> None:
    assert "above 0 and up to 8760" in str(refused(name, f"--hours={hours}"))


@pytest.mark.parametrize("name", READS)
def test_a_store_that_cannot_be_read_is_critical(
    name: str, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> NoReturn:
        raise StoreError("the disk is full")

    monkeypatch.setattr(measured.view.store, "reading", fail)

    error = refused(name)

    assert "the disk is full" in str(error)
    assert error.returncode == 2


@pytest.mark.parametrize("name", READS)
@pytest.mark.usefixtures("measured")
def test_where_monitoring_is_switched_off_there_is_nothing_to_read(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "is_enabled", lambda: False)

    assert 'MONITORING_SETTINGS["ENABLED"] is False' in str(refused(name))


@pytest.mark.usefixtures("measured")
def test_a_database_without_our_tables_is_an_error_in_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise OperationalError("no such table: prs_otel_token")

    monkeypatch.setattr(Tokens, "run", fail)

    error = refused("token", "list")

    assert "no such table: prs_otel_token. Try: manage.py migrate" in str(error)
    assert error.returncode == 2


@pytest.mark.usefixtures("measured")
def test_an_interrupted_command_ends_as_shells_expect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(*_: object, **__: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(ShowSummary, "run", interrupt)

    assert manage_monitoring("summary").exit_code == 130


@pytest.mark.usefixtures("measured")
def test_a_process_that_runs_it_is_not_measured_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(deferral, "_abstains", False)

    Command().run_from_argv(["manage.py", "manage_monitoring", "summary"])

    assert deferral._abstains
    assert "UTC" in capsys.readouterr().out


@pytest.mark.django_db
@pytest.mark.parametrize(
    "arguments",
    [
        (name,)
        for name in NAMES
        if name not in {"explain", "reset-counters", "test-alert", "token"}
    ],
)
def test_json_is_one_document(arguments: tuple[str, ...], measured: Measured) -> None:
    from prs_otel.monitoring import registry

    registry.register_command_document(registry.ALERTS, lambda _: {"items": []})
    exported = {"files": {"prometheus": "groups: []"}, "rules": []}
    registry.register_command_document(registry.EXPORTED_RULES, lambda _: exported)
    measured.flush()

    text = manage_monitoring(*arguments, "--format", "json").text

    assert isinstance(json.loads(text), dict)
