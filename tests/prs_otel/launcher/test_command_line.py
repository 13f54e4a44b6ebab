from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from django.apps import apps
from django.core.management.base import CommandError
from opentelemetry import trace

from prs_otel import conf, process
from prs_otel.launcher import command_line, deferral
from prs_otel.semconv import COMMAND_SCOPE
from tests.support.traces import Traces, tracing


class BaseCommand:
    """Run as Django's do: the whole command is `execute`."""

    _called_from_command_line = True

    def __init__(self, job: Callable[[], object] = lambda: None) -> None:
        self.job = job

    def execute(self, *args: object, **options: object) -> object:
        return self.job()


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> Iterator[Traces]:
    """Trace the commands of a Django of the test's own, outside of a test run."""
    found = tracing()
    found.set_globally(monkeypatch)
    monkeypatch.setattr(process, "is_test_run", lambda: False)
    monkeypatch.setattr(deferral, "begin", lambda **_: None)
    monkeypatch.setattr(BaseCommand, "execute", BaseCommand.execute)
    module: Any = ModuleType("django.core.management.base")
    module.BaseCommand = BaseCommand
    command_line._follow(module)
    yield found
    assert not trace.get_current_span().get_span_context().is_valid


def command(
    job: Callable[[], object] = lambda: None, *, named: str = "shop.commands.bill"
) -> BaseCommand:
    kind = type("Command", (BaseCommand,), {"__module__": named})
    made: BaseCommand = kind(job)
    return made


def ended(traces: Traces) -> list[tuple[str, bool]]:
    return [(each.labels[0], each.is_error) for each in traces.observed]


def test_a_command_is_a_span_that_bears_its_name(traces: Traces) -> None:
    assert command(lambda: 42).execute() == 42

    (span,) = traces.exported
    assert span.instrumentation_scope is not None
    assert (span.name, span.instrumentation_scope.name) == ("bill", COMMAND_SCOPE)
    assert ended(traces) == [("bill", False)]


@pytest.mark.parametrize(
    ("error", "is_error", "told"),
    [
        (CommandError("4111 1111 1111 1111"), True, CommandError),
        (ValueError("no"), True, "ValueError"),
        (SystemExit(3), True, "exit 3"),
        (SystemExit(0), False, None),
        (SystemExit(), False, None),
        (KeyboardInterrupt(), False, None),
    ],
)
def test_how_a_command_ends_is_told_and_passed_on(
    traces: Traces, error: BaseException, is_error: bool, told: object
) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        command(fail).execute()

    assert raised.value is error
    assert ended(traces) == [("bill", is_error)]
    (span,) = traces.exported
    name = f"{told.__module__}.{told.__name__}" if isinstance(told, type) else told
    assert (span.attributes or {}).get("error.type") == name
    assert not span.events
    assert span.status.description is None


def test_what_a_command_calls_is_a_part_of_it(traces: Traces) -> None:
    command(lambda: command(named="shop.commands.mail").execute()).execute()

    assert ended(traces) == [("bill", False)]


def test_a_command_that_builds_a_handler_is_a_server(traces: Traces) -> None:
    def serve() -> None:
        for _ in range(2):  # a handler of each protocol
            command_line._let_go()

    command(serve).execute()
    command_line._let_go()

    assert ended(traces) == []
    assert traces.exported == ()


@pytest.mark.parametrize(
    "named",
    [
        "django.core.management.commands.runserver",
        "django.core.management.commands.check",
        "celery.commands.celery",
        "prs_otel.management.commands.manage_monitoring",
        "alerting.management.commands.evaluate",
    ],
)
def test_servers_and_our_own_are_left_alone(traces: Traces, named: str) -> None:
    command(named=named).execute()

    assert traces.exported == ()


def test_a_command_that_code_calls_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, traces: Traces
) -> None:
    monkeypatch.setattr(BaseCommand, "_called_from_command_line", False)
    command().execute()

    assert traces.exported == ()


def test_a_command_that_needs_no_applications_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, traces: Traces
) -> None:
    monkeypatch.setattr(apps, "ready", False)
    command().execute()

    assert traces.exported == ()


@pytest.mark.parametrize(
    "settings",
    [
        {"ENABLED": False},
        {"MONITOR_COMMANDS": False},
        {"IGNORED_COMMANDS": ["seed", "bill"]},
    ],
)
def test_settings_may_say_no(
    monkeypatch: pytest.MonkeyPatch, traces: Traces, settings: dict[str, object]
) -> None:
    found = conf.MonitoringSettings.model_validate(settings)
    monkeypatch.setattr(conf, "current", lambda: found)
    command().execute()

    assert traces.exported == ()


def test_in_a_test_run_nothing_is_measured(
    monkeypatch: pytest.MonkeyPatch, traces: Traces
) -> None:
    monkeypatch.setattr(process, "is_test_run", lambda: True)
    command().execute()

    assert traces.exported == ()


def test_it_waits_for_django_once(monkeypatch: pytest.MonkeyPatch) -> None:
    awaited: list[str] = []
    monkeypatch.setattr(command_line, "_is_installed", False)
    monkeypatch.setattr(deferral, "_before_serving", [])
    monkeypatch.setattr(
        command_line, "register_post_import_hook", lambda _, name: awaited.append(name)
    )
    command_line.install()
    command_line.install()

    assert awaited == ["django.core.management.base"]
    assert deferral._before_serving == [command_line._let_go]
