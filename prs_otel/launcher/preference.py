"""Prefer our distribution to the generic one, where the two are installed together.

Left alone, the launcher takes whichever it finds first, by the order of files in a
directory. It imports this module before it starts the application, as one of those that
name environment variables: the one moment at which the choice can still be made.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, MutableMapping
from importlib.metadata import entry_points
from typing import Final

_OURS: Final = "prs_otel"
_GENERIC: Final = "distro"
_GENERIC_CONFIGURATOR: Final = "configurator"
_LAUNCHER: Final = "opentelemetry.instrumentation.auto_instrumentation._load"


def prefer_ours(
    environment: MutableMapping[str, str], installed: Collection[str]
) -> None:
    """Choose our distribution and configurator, unless a vendor's is installed."""
    if {_OURS, _GENERIC} == set(installed):
        environment.setdefault("OTEL_PYTHON_DISTRO", _OURS)
        environment.setdefault("OTEL_PYTHON_CONFIGURATOR", _OURS)


def say_nothing_of_the_generic() -> None:
    """Keep every process from warning that the generic configurator stands back."""
    logging.getLogger(_LAUNCHER).addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    names = record.args if isinstance(record.args, tuple) else ()
    stands_back = str(record.msg).startswith("Configuration of %s not loaded")
    return not (stands_back and _GENERIC_CONFIGURATOR in names[:1])


prefer_ours(os.environ, entry_points(group="opentelemetry_distro").names)
