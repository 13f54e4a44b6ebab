from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partialmethod
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from django.dispatch import Signal
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.util._once import Once

from prs_otel import conf, guard
from prs_otel.instrumentation.measuring import unmeasured
from prs_otel.launcher import configurator, deferral
from prs_otel.sampling import RecordAll


class Pipeline(ModuleType):
    """Note what the launcher asks of the pipeline."""

    def __init__(self) -> None:
        super().__init__("prs_otel.pipeline")
        self.asked: list[str] = []
        self.tests_run = False

    def is_test_run(self) -> bool:
        return self.tests_run

    def activate(self) -> None:
        self.asked.append("activate")

    def serve(self) -> None:
        self.asked.append("serve")


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """Let nothing have begun, with a provider of the application's own."""
    found = Pipeline()
    monkeypatch.setitem(sys.modules, "prs_otel.pipeline", found)
    monkeypatch.setattr("prs_otel.pipeline", found, raising=False)
    monkeypatch.setattr(deferral, "_has_begun", False)
    monkeypatch.setattr(deferral, "_is_complete", False)
    monkeypatch.setattr(deferral, "_before_serving", [])
    monkeypatch.setattr(deferral, "_serves", False)
    monkeypatch.setattr(deferral, "_undo", [])
    provider = TracerProvider(shutdown_on_exit=False)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    return found


def test_a_process_that_serves_may_lead(pipeline: Pipeline) -> None:
    deferral.begin(serving=True)
    deferral.begin(serving=True)
    deferral.begin(serving=False)

    assert pipeline.asked == ["activate", "serve"]


def test_a_process_that_only_queries_is_measured_until_it_serves(
    pipeline: Pipeline,
) -> None:
    deferral.begin(serving=False)
    deferral.begin(serving=False)
    assert pipeline.asked == ["activate"]

    deferral.begin(serving=True)
    assert pipeline.asked == ["activate", "activate", "serve"]


@pytest.mark.parametrize("serving", [False, True])
def test_a_process_that_only_looks_on_is_not_measured(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, serving: bool
) -> None:
    monkeypatch.setattr(deferral, "_abstains", False)
    deferral.abstain()

    deferral.begin(serving=serving)

    assert pipeline.asked == []


@pytest.mark.parametrize("serving", [False, True])
def test_only_who_builds_a_handler_waits_for_a_thread_that_has_begun(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, serving: bool
) -> None:
    waits: list[float] = []

    class Busy:
        def acquire(self, timeout: float) -> bool:
            waits.append(timeout)
            return False

    monkeypatch.setattr(deferral, "_beginning", Busy())
    deferral.begin(serving=serving)

    assert waits == [5.0 if serving else 0]
    assert pipeline.asked == (["activate", "serve"] if serving else [])


def test_a_task_waits_until_all_is_instrumented(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    class Busy:
        def acquire(self, timeout: float) -> bool:
            waits.append(timeout)
            return False

    monkeypatch.setattr(deferral, "_beginning", Busy())
    monkeypatch.setattr(deferral, "_has_begun", True)
    deferral.begin(serving=False)
    assert waits == []

    deferral.begin(serving=False, waits=True)
    assert waits == [5.0]

    monkeypatch.setattr(deferral, "_is_complete", True)
    deferral.begin(serving=False, waits=True)
    assert waits == [5.0]


def test_what_another_thread_has_begun_meanwhile_is_not_begun_again(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Busy:
        def acquire(self, timeout: float) -> bool:
            deferral._has_begun = deferral._serves = True
            return True

        def release(self) -> None:
            """Stay as it is."""

    monkeypatch.setattr(deferral, "_beginning", Busy())
    deferral.begin(serving=True)

    assert pipeline.asked == []


def test_switched_off_nothing_begins(pipeline: Pipeline, settings: Any) -> None:
    settings.MONITORING_SETTINGS = {"ENABLED": False}
    deferral.begin(serving=True)

    assert pipeline.asked == []


def test_in_a_projects_tests_nothing_begins(pipeline: Pipeline) -> None:
    pipeline.tests_run = True
    deferral.begin(serving=True)

    assert pipeline.asked == []


def test_a_failure_to_begin_does_not_reach_the_application(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OSError("the store's own mistake")

    monkeypatch.setattr(guard, "reraise", False)
    monkeypatch.setattr(conf, "current", fail)
    deferral.begin(serving=True)

    assert guard.report() == {"launcher.begin": 1}
    assert pipeline.asked == []


class Handler:
    """Django's handler, as far as it is wrapped."""

    def __init__(self) -> None:
        self.loaded: list[bool] = []

    def load_middleware(self, is_async: bool = False) -> None:
        self.loaded.append(is_async)


def test_building_a_handler_begins_before_its_middleware_is_read(
    pipeline: Pipeline,
) -> None:
    class Base(Handler):
        load_middleware = Handler.load_middleware

    module: Any = SimpleNamespace(BaseHandler=Base)
    deferral._follow_handlers(module)
    handler = Base()
    handler.load_middleware(is_async=True)

    assert handler.loaded == [True]
    assert pipeline.asked == ["activate", "serve"]


def test_opening_a_connection_begins(pipeline: Pipeline) -> None:
    module: Any = SimpleNamespace(connection_created=Signal())
    deferral._follow_connections(module)
    module.connection_created.send(sender=None, connection=None)

    assert pipeline.asked == ["activate"]


def test_opening_one_of_our_own_connections_begins_nothing(pipeline: Pipeline) -> None:
    module: Any = SimpleNamespace(connection_created=Signal())
    deferral._follow_connections(module)
    with unmeasured():
        module.connection_created.send(sender=None, connection=None)

    assert pipeline.asked == []


@pytest.mark.parametrize("is_wrapped_again", [False, True])
def test_switched_off_django_is_left_as_it_was(
    pipeline: Pipeline, settings: Any, is_wrapped_again: bool
) -> None:
    class Base(Handler):
        load_middleware: Any = Handler.load_middleware

    module: Any = SimpleNamespace(BaseHandler=Base, connection_created=Signal())
    deferral._follow_handlers(module)
    deferral._follow_connections(module)
    if is_wrapped_again:
        Base.load_middleware = partialmethod(Base.load_middleware)
    wrapped_by_others = Base.__dict__["load_middleware"]
    settings.MONITORING_SETTINGS = {"ENABLED": False}

    handler = Base()
    handler.load_middleware()

    assert handler.loaded == [False]
    expected = wrapped_by_others if is_wrapped_again else Handler.load_middleware
    assert Base.__dict__["load_middleware"] is expected
    assert not module.connection_created.has_listeners()


def test_it_is_installed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks: list[str] = []

    def note(hook: Callable[..., Any], name: str) -> None:
        hooks.append(name)

    monkeypatch.setattr(deferral, "_is_installed", False)
    monkeypatch.setattr(deferral, "register_post_import_hook", note)
    deferral.install()
    deferral.install()

    assert hooks == ["django.core.handlers.base", "django.db.backends.signals"]


# --- The provider ---------------------------------------------------------------------


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the application have set no provider, and take back what is set."""
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", Once())
    monkeypatch.setattr("os.environ", {})


def test_a_provider_of_the_application_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = TracerProvider(shutdown_on_exit=False)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", own)
    deferral.ensure_provider()

    assert trace.get_tracer_provider() is own


def test_where_none_is_set_it_is_the_launchers(
    unset: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Configurator:
        def configure(self) -> None:
            provider = TracerProvider(shutdown_on_exit=False)
            trace.set_tracer_provider(provider)
            configured.append(provider)

    configured: list[TracerProvider] = []
    monkeypatch.setattr(configurator, "PrsConfigurator", Configurator)
    deferral.ensure_provider()

    assert [trace.get_tracer_provider()] == configured


def test_where_export_cannot_be_set_up_measuring_goes_on(
    unset: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Configurator:
        def configure(self) -> None:
            raise RuntimeError("no such exporter")

    monkeypatch.setattr(guard, "reraise", False)
    monkeypatch.setattr(configurator, "PrsConfigurator", Configurator)
    deferral.ensure_provider()

    provider: Any = trace.get_tracer_provider()
    assert isinstance(provider.sampler, RecordAll)
    assert guard.report() == {"launcher.provider": 1}
    provider.shutdown()
