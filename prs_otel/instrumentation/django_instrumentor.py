"""Run OpenTelemetry's Django instrumentor with our hooks, or join one that runs.

The application may have instrumented Django itself: then our hooks are added to its
own, and its metrics stay. Where the installed release allows it, its middleware is replaced by ours, which
does the same without the faults that `middleware` names.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.conf import settings
from opentelemetry import trace
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.django.environment_variables import (
    OTEL_PYTHON_DJANGO_INSTRUMENT,
)
from opentelemetry.instrumentation.django.middleware import otel_middleware
from opentelemetry.instrumentation.environment_variables import (
    OTEL_PYTHON_DISABLED_INSTRUMENTATIONS,
)
from opentelemetry.metrics import NoOpMeterProvider

from prs_otel.sampling import record_all_spans
from prs_otel.semconv import DJANGO_SCOPE

_Hook = Callable[..., None]

_HOOKS: Final = ("_otel_request_hook", "_otel_response_hook")
_SETTING: Final = "MIDDLEWARE"

# What the application had set on the stock middleware, to be put back.
_joined: dict[str, Any] = {}


def install(request_hook: _Hook, response_hook: _Hook) -> None:
    """Trace the requests of the handlers that are built from now on."""
    if is_disabled(os.environ):
        return
    if DjangoInstrumentor().is_instrumented_by_opentelemetry:
        _join(request_hook, response_hook)
    else:
        # Its duration metric gives way to ours, of the same standard name.
        DjangoInstrumentor().instrument(
            request_hook=request_hook,
            response_hook=response_hook,
            meter_provider=NoOpMeterProvider(),
        )
    names = _middleware_names()
    if names is not None:
        _replace_in_settings(*names)


def is_disabled(environment: Mapping[str, str]) -> bool:
    """Tell whether the environment forbids to trace requests automatically."""
    names = environment.get(OTEL_PYTHON_DISABLED_INSTRUMENTATIONS, "").split(",")
    return (
        not {"*", "django"}.isdisjoint(name.strip() for name in names)
        or environment.get(OTEL_PYTHON_DJANGO_INSTRUMENT) == "False"
    )


def measures_new_handlers() -> bool:
    """Tell whether a handler that is built now has the middleware that traces requests."""
    names = _middleware_names()
    return (
        names is not None
        and DjangoInstrumentor().is_instrumented_by_opentelemetry
        and not {*names}.isdisjoint(getattr(settings, _SETTING) or ())
    )


def remove() -> None:
    """Undo `install`, for handlers built from now on."""
    names = _middleware_names()
    if names is not None:
        _replace_in_settings(*reversed(names))
    if _joined:
        for name, value in _joined.items():
            setattr(_stock(), name, value)
        _joined.clear()
    elif DjangoInstrumentor().is_instrumented_by_opentelemetry:
        DjangoInstrumentor().uninstrument()


def retrace() -> None:
    """Trace requests, from now on, by the tracer provider that is set now."""
    stock: Any = _stock()
    before = getattr(stock, "_tracer", None)
    if before is not None:
        scope = getattr(before, "_instrumentation_scope", None)
        stock._tracer = trace.get_tracer(  # noqa: SLF001 - there is no public handle
            DJANGO_SCOPE, scope and scope.version, schema_url=scope and scope.schema_url
        )


def _join(*ours: _Hook) -> None:
    stock = _stock()
    for name, hook in zip(_HOOKS, ours, strict=True):
        _joined[name] = theirs = getattr(stock, name, None)
        setattr(stock, name, hook if theirs is None else _both(theirs, hook))
    tracer = getattr(stock, "_tracer", None)
    # One that was asked for before a provider was set stands for the real one.
    record_all_spans(getattr(tracer, "_tracer", tracer))


def _both(first: _Hook, second: _Hook) -> _Hook:
    def both(*arguments: object) -> None:
        try:
            first(*arguments)
        finally:
            second(*arguments)

    return both


def _stock() -> type:
    # There is no public handle.
    stock: type = otel_middleware._DjangoMiddleware  # noqa: SLF001
    return stock


def _middleware_names() -> tuple[str, str] | None:
    """Return the dotted paths of the stock middleware and ours, if ours fits it."""
    try:
        from prs_otel.instrumentation import middleware
    except (AttributeError, ImportError):
        return None
    return middleware.STOCK, middleware.PATH


def _replace_in_settings(old: str, new: str) -> None:
    configured = getattr(settings, _SETTING)
    if old in configured:
        replaced = [new if name == old else name for name in configured]
        setattr(settings, _SETTING, replaced)
