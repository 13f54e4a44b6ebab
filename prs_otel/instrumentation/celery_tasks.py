"""Have Celery's tasks traced where its instrumentation is installed and nobody has begun it.

Once Celery is used, under the launcher too: its instrumentation imports it.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Final

_DISABLED: Final = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"


def install() -> None:
    """Trace the tasks that this process sends or works off from now on. Idempotent."""
    if "celery" not in sys.modules or _is_disabled():
        return
    try:
        from opentelemetry.instrumentation.celery import CeleryInstrumentor
    except ImportError:
        return
    instrumentor_class: Any = CeleryInstrumentor  # untyped
    instrumentor = instrumentor_class()
    if not instrumentor.is_instrumented_by_opentelemetry:
        instrumentor.instrument()


def _is_disabled() -> bool:
    names = os.environ.get(_DISABLED, "").split(",")
    return not {"celery", "*"}.isdisjoint(name.strip() for name in names)
