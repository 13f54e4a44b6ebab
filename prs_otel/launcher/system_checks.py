"""Leave what Django's system checks ask the databases out of every figure.

From Django 6.1 on they ask each database what it can do whenever a command or a Celery
worker starts: queries about the code, and no use of the application.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from wrapt import register_post_import_hook

from prs_otel.instrumentation.measuring import unmeasured

if TYPE_CHECKING:
    from types import ModuleType

_REGISTRY: Final = "django.core.checks.registry"

_is_installed = False


def install() -> None:
    """Follow the checks of this process, whether Django is imported or not. Idempotent."""
    global _is_installed
    if not _is_installed:
        _is_installed = True
        register_post_import_hook(_follow, _REGISTRY)


def _follow(module: ModuleType) -> None:
    registry: Any = module.CheckRegistry
    get: Callable[..., list[Any]] = registry.get_checks

    # Not `run_checks`: Celery has taken that before it sets Django up.
    @wraps(get)
    def get_checks(self: object, *args: object, **options: object) -> list[Any]:
        return [_unmeasured(check) for check in get(self, *args, **options)]

    registry.get_checks = get_checks


def _unmeasured(check: Callable[..., object]) -> Callable[..., object]:
    @wraps(check)
    def called(*args: object, **options: object) -> object:
        with unmeasured():
            return check(*args, **options)

    return called
