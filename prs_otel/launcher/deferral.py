"""Begin to measure when the application is first used, not before.

Used means: it builds the handler of its requests, or opens a connection to a database.
By then its settings are loaded, and with them whatever error they raise; gevent has
patched what it patches; and a pre-fork master has forked, unless it was told to load
the application first.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import ProxyTracerProvider
from wrapt import register_post_import_hook

from prs_otel import native
from prs_otel.guard import guarded
from prs_otel.instrumentation import measuring
from prs_otel.launcher import defaults, farewell, stand_in
from prs_otel.sampling import record_all_spans

if TYPE_CHECKING:
    from types import ModuleType

_HANDLERS: Final = "django.core.handlers.base"
_SIGNALS: Final = "django.db.backends.signals"

_PATIENCE: Final = 5.0
"""Seconds to wait for another thread that has begun already."""

_beginning = native.new_rlock()
_is_installed = False
_serves = False
_has_begun = False
_abstains = False
_is_complete = False
_before_serving: list[Callable[[], object]] = []
_undo: list[Callable[[], object]] = []


def install() -> None:
    """Wait for the application to be used. Idempotent; imports nothing of Django."""
    global _is_installed
    if not _is_installed:
        _is_installed = True
        register_post_import_hook(_follow_handlers, _HANDLERS)
        register_post_import_hook(_follow_connections, _SIGNALS)


def abstain() -> None:
    """Do not measure this process, which only looks at what others have measured."""
    global _abstains
    _abstains = True


def before_serving(callback: Callable[[], object]) -> None:
    """Call `callback` each time that this process builds a handler of requests."""
    _before_serving.append(callback)


def begin(*, serving: bool, waits: bool = False) -> None:
    """Measure this process, and let it lead when it is `serving` requests.

    One that `waits` returns when a thread that has begun already is done.

    Nothing happens where monitoring is switched off, or in a project's test run.
    """
    if _abstains:
        return
    if _has_begun and (_serves or not serving) and (_is_complete or not waits):
        return
    # Whoever builds a handler while another thread begins waits until all is instrumented;
    # not for ever, as that thread may have stayed behind in a fork.
    has_turn = _beginning.acquire(timeout=_PATIENCE if serving or waits else 0)
    try:
        if has_turn or serving:
            _begin(serving=serving)
    finally:
        if has_turn:
            _beginning.release()


def _begin(*, serving: bool) -> None:
    global _serves, _has_begun, _is_complete
    if _has_begun and (_serves or not serving):
        return
    with guarded("launcher.begin"):
        # Imported here: both import Django, and the first reads its settings.
        from prs_otel import conf

        if not conf.current().enabled:
            _let_go()
            return
        from prs_otel import pipeline

        if pipeline.is_test_run():
            return
        _has_begun, _serves = True, _serves or serving
        defaults.apply_conventions(os.environ)
        ensure_provider()
        pipeline.activate()
        _is_complete = True
        if serving:
            pipeline.serve()
            farewell.install()


def ensure_provider() -> None:
    """Set a tracer provider where the application has not set its own.

    It is the one that the launcher would have set, exporters included, and makes way for one
    that the application sets later.
    """
    if not isinstance(trace.get_tracer_provider(), ProxyTracerProvider):
        return
    with guarded("launcher.provider"):
        # Imported here: applications with a provider of their own need none of it.
        from prs_otel.launcher.configurator import PrsConfigurator

        defaults.apply(os.environ)
        configurator: Any = PrsConfigurator  # the SDK leaves it untyped
        configurator().configure()
    if isinstance(trace.get_tracer_provider(), ProxyTracerProvider):
        # What the environment describes cannot be set up; measuring needs no exporter.
        provider = TracerProvider()
        record_all_spans(provider)
        trace.set_tracer_provider(provider)
    stand_in.make_way(_follow_provider)


def _follow_provider() -> None:
    # Imported here: it imports Django.
    from prs_otel import pipeline

    pipeline.follow_provider()


def _follow_handlers(module: ModuleType) -> None:
    handler: Any = module.BaseHandler
    load: Callable[..., None] = handler.load_middleware

    @wraps(load)
    def load_middleware(self: object, *args: object, **kwargs: object) -> None:
        for callback in _before_serving:
            callback()
        begin(serving=True)
        load(self, *args, **kwargs)

    handler.load_middleware = load_middleware

    def restore() -> None:
        # Somebody may have wrapped it after us; then ours stays, and does nothing.
        if handler.load_middleware is load_middleware:
            handler.load_middleware = load

    _undo.append(restore)


def _follow_connections(module: ModuleType) -> None:
    module.connection_created.connect(
        _on_connection, dispatch_uid="prs_otel.launcher.deferral"
    )
    _undo.append(
        lambda: module.connection_created.disconnect(
            dispatch_uid="prs_otel.launcher.deferral"
        )
    )


def _let_go() -> None:
    """Leave Django as it was: monitoring is switched off."""
    while _undo:
        _undo.pop()()


def _on_connection(**_: object) -> None:
    # One of our own may be the last thing that a process does.
    if measuring.mode.get() != measuring.UNMEASURED:
        begin(serving=False)
