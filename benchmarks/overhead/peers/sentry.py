"""sentry-sdk with every request traced, sent to the sink."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.overhead.peers import Captured, Surroundings
    from benchmarks.overhead.plan import Variant

# Larger than a block, so that a busy machine makes no transaction fall off its queue.
QUEUE_SIZE = 2_000


class Sentry:
    """The Django integration at ``traces_sample_rate=1``."""

    def environment(self, around: Surroundings) -> dict[str, str]:
        """Name the sink as the project's DSN."""
        return {"SENTRY_DSN": around.sink.replace("//", "//key@", 1) + "/1"}

    def install(self) -> None:
        """Start the client; the integration finds Django by itself."""
        importlib.import_module("sentry_sdk").init(
            dsn=os.environ["SENTRY_DSN"],
            traces_sample_rate=1.0,
            transport_queue_size=QUEUE_SIZE,
        )

    def flush(self) -> None:
        """Send the transactions that are still queued."""
        importlib.import_module("sentry_sdk").flush(timeout=30)

    def captured(self) -> Captured | None:
        """Leave the counting to the sink."""
        return None


def peer(_variant: Variant) -> Sentry:
    """Return the peer of sentry-sdk."""
    return Sentry()
