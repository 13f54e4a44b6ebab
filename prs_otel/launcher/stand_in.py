"""Providers of ours that make way for the application's own, whenever it sets them.

OpenTelemetry lets a global provider be set once. An application that sets its own after it has
built its handlers, as in gunicorn's `post_fork` under `--preload`, finds ours there already: its
own must win, and what we measure go on through that.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final

from opentelemetry import trace
from opentelemetry.util._once import Once

from prs_otel.guard import guarded

_TRACER_ONCE: Final = "_TRACER_PROVIDER_SET_ONCE"
# Where the API keeps that a global provider has been set. There is no public way back.
_OTHERS: Final = (
    ("opentelemetry.metrics._internal", "_METER_PROVIDER_SET_ONCE"),
    ("opentelemetry._logs._internal", "_LOGGER_PROVIDER_SET_ONCE"),
)


class _Succession(Once):
    """Let one more provider be set, and tell of it."""

    def __init__(self, follow: Callable[[], object]) -> None:
        super().__init__()
        self._follow = follow

    def do_once(self, func: Callable[[], None]) -> bool:
        """Set the provider, then follow it."""
        is_done = super().do_once(func)
        if is_done:
            with guarded("launcher.stand_in"):
                self._follow()
        return is_done


def make_way(follow: Callable[[], object]) -> bool:
    """Let what the application sets replace the global providers of now.

    `follow` is called when it has set a tracer provider. Returns False where the API does not
    keep its state as every release so far: then the providers of now stay.
    """
    if not isinstance(getattr(trace, _TRACER_ONCE, None), Once):
        return False
    setattr(trace, _TRACER_ONCE, _Succession(follow))
    for module_name, name in _OTHERS:
        module = import_module(module_name)
        if isinstance(getattr(module, name, None), Once):
            setattr(module, name, Once())
    return True
