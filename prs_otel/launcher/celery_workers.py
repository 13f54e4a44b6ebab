"""Measure Celery's workers from their first task on, and hand over their last figures.

A child of the prefork pool ends without ``atexit``, as soon as it has worked off its share.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from wrapt import register_post_import_hook

from prs_otel.guard import guarded
from prs_otel.instrumentation import celery_tasks
from prs_otel.launcher import deferral

if TYPE_CHECKING:
    from types import ModuleType

_SIGNALS: Final = "celery.signals"
_DISPATCH_UID: Final = "prs_otel.launcher.celery_workers"


def install() -> None:
    """Follow the life of Celery's workers, imported or not."""
    register_post_import_hook(_follow, _SIGNALS)


def _follow(module: ModuleType) -> None:
    signals: Any = module
    for signal, receiver in (
        (signals.worker_init, _trace),
        (signals.worker_process_init, _begin),
        # Pools of threads send no other signal before their first task.
        (signals.task_prerun, _begin),
        (signals.worker_process_shutdown, _hand_over),
    ):
        signal.connect(receiver, weak=False, dispatch_uid=_DISPATCH_UID)


def _trace(**_: object) -> None:
    # Celery is used without Django, too; then there are spans, if no figures.
    with guarded("launcher.celery_workers"):
        celery_tasks.install()


def _begin(**_: object) -> None:
    settings: Any = getattr(sys.modules.get("django.conf"), "settings", None)
    if settings is not None and settings.configured:
        deferral.begin(serving=False, waits=True)


def _hand_over(**_: object) -> None:
    with guarded("launcher.celery_workers"):
        # Imported here: it imports Django.
        from prs_otel import pipeline

        pipeline.shutdown()
