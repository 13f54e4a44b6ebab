"""Leave what Django asks MySQL and MariaDB about themselves out of every figure.

It does so once for each connection: for the first statement whose form depends on the
version of the server, if that is what opens the connection.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from wrapt import register_post_import_hook

from prs_otel.instrumentation.measuring import unmeasured

if TYPE_CHECKING:
    from types import ModuleType

_BACKEND: Final = "django.db.backends.mysql.base"

_is_installed = False


def install() -> None:
    """Follow the backend, whether it is imported or not. Idempotent."""
    global _is_installed
    if not _is_installed:
        _is_installed = True
        register_post_import_hook(_follow, _BACKEND)


def _follow(module: ModuleType) -> None:
    asked: Any = module.DatabaseWrapper.mysql_server_data  # a cached property
    ask: Callable[[object], object] = asked.func

    @wraps(ask)
    def unmeasured_data(connection: object) -> object:
        with unmeasured():
            return ask(connection)

    asked.func = unmeasured_data
