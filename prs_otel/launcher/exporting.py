"""Exporting processors that do not hold up the end of a process.

The SDK's wait half a minute for a collector that does not answer, signal after signal.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from opentelemetry import _logs, metrics, trace
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor

SHUTDOWN_MILLISECONDS: Final = 1_200  # for each of traces, metrics and logs


class PromptSpanProcessor(BatchSpanProcessor):
    """Give up on an unreachable collector soon after the process should end."""

    def shutdown(self) -> None:
        """Export what is queued, for as long as there is time."""
        _shut_down(self, super().shutdown)


class PromptLogRecordProcessor(BatchLogRecordProcessor):
    """Give up on an unreachable collector soon after the process should end."""

    def shutdown(self) -> None:
        """Export what is queued, for as long as there is time."""
        _shut_down(self, super().shutdown)


def _shut_down(processor: object, otherwise: Callable[[], None]) -> None:
    # The public method has no timeout; the object behind it has.
    batches = getattr(processor, "_batch_processor", None)
    if batches is None:
        otherwise()
    else:
        batches.shutdown(timeout_millis=SHUTDOWN_MILLISECONDS)


def flush(seconds: float) -> None:
    """Export what is queued, traces, metrics and logs at once; wait no longer than `seconds`."""
    deadline = time.monotonic() + seconds
    providers: tuple[object, ...] = (
        trace.get_tracer_provider(),
        metrics.get_meter_provider(),
        _logs.get_logger_provider(),
    )
    # The SDK's own time limits are not kept: a collector may take as long as it likes.
    threads = [
        threading.Thread(target=force, daemon=True)
        for force in (getattr(each, "force_flush", None) for each in providers)
        if force is not None
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
