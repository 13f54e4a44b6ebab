"""Which of the installed instrumentors the launcher leaves to us."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Final

from opentelemetry.instrumentation.distro import BaseDistro  # type: ignore[attr-defined]

from prs_otel.instrumentation.drivers import DRIVERS

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

# Django's waits for the application's settings; queries are measured through Django,
# so that a driver's instrumentor would only make second spans. Celery's waits until Celery
# is used: it imports Celery, too early for gevent's patches.
OURS: Final = DRIVERS | {"celery", "django"}


def is_ours(entry_point: EntryPoint) -> bool:
    """Tell whether what this instrumentor measures is measured by us."""
    return entry_point.name in OURS


def skip_ours_in_any_distro() -> None:
    """Make distros that are not ours skip these instrumentors too, once."""
    load = BaseDistro.load_instrumentor
    if hasattr(load, "__wrapped__"):
        return

    @wraps(load)
    def load_instrumentor(
        distro: BaseDistro, entry_point: EntryPoint, **options: object
    ) -> None:
        if not is_ours(entry_point):
            load(distro, entry_point, **options)

    BaseDistro.load_instrumentor = load_instrumentor
