"""Exporting processors that do not hold up the end of a process.

The SDK's wait half a minute for a collector that does not answer, signal after signal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

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
