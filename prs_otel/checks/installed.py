"""Look whether a package is there, without importing it."""

from __future__ import annotations

from importlib.util import find_spec


def is_installed(name: str) -> bool:
    """Tell whether a module could be imported by its name."""
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):  # a parent is missing, or stands half imported
        return False
