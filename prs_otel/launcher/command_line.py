"""Make a task of each management command that is run from a command line.

Not of one that serves until it is stopped, nor of our own; one that is called by code is
part of whatever calls it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from wrapt import register_post_import_hook

import prs_otel
from prs_otel.guard import guarded
from prs_otel.launcher import deferral
from prs_otel.semconv import COMMAND_SCOPE, ERROR_TYPE

if TYPE_CHECKING:
    from types import ModuleType

    from opentelemetry.trace import Span

_COMMANDS: Final = "django.core.management.base"
_OURS: Final = ("prs_otel", "alerting")

UNENDING: Final = frozenset(
    (
        "celery",
        "daphne",
        "db_worker",
        "dbshell",
        "process_tasks",
        "procrastinate",
        "qcluster",
        "qmonitor",
        "rqscheduler",
        "rqworker",
        "run_gunicorn",
        "run_huey",
        "rundramatiq",
        "runserver",
        "runserver_plus",
        "runworker",
        "shell",
        "shell_plus",
        "tailwind",
        "test",
        "testserver",
    )
)
"""Commands of Django and well-known packages that go on until somebody stops them."""

DEVELOPING: Final = frozenset(
    (
        "check",
        "collectstatic",
        "compilemessages",
        "diffsettings",
        "findstatic",
        "help",
        "inspectdb",
        "makemessages",
        "makemigrations",
        "optimizemigration",
        "showmigrations",
        "sqlflush",
        "sqlmigrate",
        "sqlsequencereset",
        "squashmigrations",
        "startapp",
        "startproject",
        "version",
    )
)
"""Django's commands about the code itself, often run where images are built: no store is made."""

_is_installed = False


class Run:
    """One command under way, as a span that is current while it runs."""

    def __init__(self, name: str) -> None:
        tracer = trace.get_tracer(COMMAND_SCOPE, prs_otel.__version__)
        self._span: Span | None = tracer.start_span(name, kind=SpanKind.INTERNAL)
        self._token = contexts.attach(trace.set_span_in_context(self._span))

    def end(self, error: BaseException | None) -> None:
        """End the span, unless it was let go; an exit status other than 0 is an error."""
        span = self._span
        if span is None:
            return
        self.let_go()
        failure = _failure(error)
        if failure is not None:
            span.set_attribute(ERROR_TYPE, failure)
            span.set_status(Status(StatusCode.ERROR))
        span.end()

    def let_go(self) -> None:
        """Leave the span unfinished: nobody will hear of it."""
        if self._span is not None:
            self._span = None
            contexts.detach(self._token)


_current: Run | None = None


def install() -> None:
    """Follow the commands of this process, whether Django is imported or not. Idempotent."""
    global _is_installed
    if not _is_installed:
        _is_installed = True
        register_post_import_hook(_follow, _COMMANDS)
        deferral.before_serving(_let_go)


def _follow(module: ModuleType) -> None:
    command: Any = module.BaseCommand
    execute: Callable[..., object] = command.execute

    @wraps(execute)
    def measured(self: object, *args: object, **options: object) -> object:
        run = _begun(self)
        if run is None:
            return execute(self, *args, **options)
        error: BaseException | None = None
        try:
            return execute(self, *args, **options)
        except BaseException as raised:
            error = raised
            raise
        finally:
            _end(run, error)

    command.execute = measured


def _begun(command: object) -> Run | None:
    """Return the run of a command, `None` where it is not to be measured."""
    global _current
    with guarded("launcher.command_line"):
        name = type(command).__module__.rpartition(".")[2]
        if _current is None and _is_measured(command, name):
            deferral.begin(serving=False, waits=True)
            _current = Run(name)
            return _current
    return None


def _end(run: Run, error: BaseException | None) -> None:
    global _current
    _current = None
    with guarded("launcher.command_line"):
        run.end(error)


def _let_go() -> None:
    """Forget the command that has turned out to serve requests."""
    if _current is not None:
        with guarded("launcher.command_line"):
            _current.let_go()


def _is_measured(command: object, name: str) -> bool:
    from django.apps import apps
    from django.conf import settings

    is_by_hand = getattr(command, "_called_from_command_line", False)
    is_ours = type(command).__module__.partition(".")[0] in _OURS
    if not is_by_hand or is_ours or name in UNENDING | DEVELOPING:
        return False
    if not (settings.configured and apps.ready):
        return False
    # Imported here: they import Django.
    from prs_otel import conf, process

    found = conf.current()
    is_wanted = found.enabled and found.monitor_commands
    return (
        is_wanted and name not in found.ignored_commands and not process.is_test_run()
    )


def _failure(error: BaseException | None) -> str | None:
    """Return the name of what a command failed of, `None` when it did not."""
    if isinstance(error, SystemExit):
        return f"exit {error.code}" if error.code not in (None, 0) else None
    if not isinstance(error, Exception):
        return None
    kind = type(error)
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
