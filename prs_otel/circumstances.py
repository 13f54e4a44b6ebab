"""What a process says of how it was started, so that a doctor elsewhere can tell."""

from __future__ import annotations

import sys
from typing import Final

from prs_otel.instrumentation import drivers

LAUNCHED: Final = "prs.process.launched"
"""1 under `opentelemetry-instrument`, else 0."""
INSTRUMENTOR: Final = "prs.process.instrumentor."
"""Before the name of a driver's instrumentor that is active beside ours."""

_LAUNCHER: Final = "opentelemetry.instrumentation.auto_instrumentation._load"


def figures() -> dict[str, float]:
    """Return how this process was started, as figures of its beat."""
    active = {f"{INSTRUMENTOR}{name}": 1.0 for name in drivers.active()}
    return {LAUNCHED: float(_LAUNCHER in sys.modules), **active}
