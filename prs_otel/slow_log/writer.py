"""Write to a log on a thread of its own, so that handlers that block hold up nothing else."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, Final

from prs_otel import guard
from prs_otel.background import Background
from prs_otel.slow_log import correlated

if TYPE_CHECKING:
    from prs_otel.slow_log.entry import Entry

WAITING_LIMIT: Final = 100
"""Lines that wait for handlers; whoever blocks that long gets no more."""

_UNTIL_WOKEN: Final = 3_600.0


class Writer:
    """Write entries as warnings; the thread begins with the first and ends with `stop`.

    `write` is for one thread. A forked child makes a writer of its own.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._waiting: deque[Entry] = deque()
        self._background = Background("prs-otel-log", self._step, last=self._step)

    def write(self, entry: Entry) -> bool:
        """Have a line written soon; tell whether it will be."""
        if len(self._waiting) >= WAITING_LIMIT:
            return False
        # Raises where there can be no thread any more; then the line stays unwritten.
        self._background.start()
        self._waiting.append(entry)
        self._background.wake()
        return True

    def stop(self, timeout: float) -> bool:
        """Write what waits and end; tell whether it was within `timeout` seconds."""
        return self._background.stop(timeout)

    def _step(self) -> float:
        while self._waiting:
            entry = self._waiting.popleft()
            with guard.guarded("slow_log"):
                correlated.log(self._logger, logging.WARNING, entry)
        return _UNTIL_WOKEN
