"""One variant's process: serves blocks of requests and says what CPU they took.

Talks JSON lines: commands such as ``begin``, ``serve`` and ``end`` in, CPU seconds or counts
out. The first line out says how large the process is once it is warm.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TextIO

import psutil

from benchmarks.overhead import peers, serving
from benchmarks.overhead.plan import VIEWS, named

if TYPE_CHECKING:
    from benchmarks.overhead.peers import Peer

WARM_UP_REQUESTS = 40
# Exporter threads get the processor after each burst, as on any server below full load;
# without it a closed loop overflows their queues, and lost spans cost nothing.
PAUSE_SECONDS = 0.01
REQUESTS_A_PAUSE = 50


@dataclass(frozen=True, slots=True)
class Ready:
    """What a worker says once it is warm."""

    rss_bytes: int


class Worker:
    """The site under one variant, with the handler built."""

    def __init__(self, name: str) -> None:
        variant = named(name)
        self._peer: Peer = peers.load(variant)
        sink, directory = os.environ["BENCH_SINK"], os.environ["BENCH_DIRECTORY"]
        around = peers.Surroundings(sink, directory)
        os.environ.update(self._peer.environment(around))
        os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.site.settings"
        import django

        self._peer.install()
        django.setup()
        self._server = serving.build(variant.interface)
        self._began_at = self._answered_at = time.process_time()

    def warm_up(self) -> Ready:
        """Serve each view often enough for caches and connections to be there."""
        for view in VIEWS:
            self._server.serve(view.path, WARM_UP_REQUESTS)
        self._peer.flush()
        return Ready(psutil.Process().memory_info().rss)

    def begin(self) -> float:
        """Start a block: what is measured from here on has made its own garbage."""
        gc.collect()
        self._began_at = self._answered_at = time.process_time()
        return 0.0

    def serve(self, path: str, requests: int) -> float:
        """Serve a burst and return the CPU seconds since the answer before this one."""
        self._server.serve(path, requests)
        time.sleep(PAUSE_SECONDS)
        before, self._answered_at = self._answered_at, time.process_time()
        return self._answered_at - before

    def end(self) -> float:
        """Send what is queued and return all CPU seconds since the block began."""
        self._peer.flush()
        return time.process_time() - self._began_at

    def cover(self, endpoints: int) -> float:
        """Serve every further endpoint of the site once, so that each becomes a series."""
        for number in range(endpoints):
            self._server.serve(f"/endpoint/{number}/", 1)
            if number % REQUESTS_A_PAUSE == 0:
                time.sleep(PAUSE_SECONDS)
        return self.end()

    def captured(self) -> dict[str, int] | None:
        """Ask the variant what it has seen."""
        captured = self._peer.captured()
        return None if captured is None else asdict(captured)


def main() -> None:
    """Serve the variant named on the command line until standard input ends."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    # An instrumentation that prints must not garble the answers.
    sys.stdout = sys.stderr
    worker = Worker(sys.argv[1])
    _answer(out, asdict(worker.warm_up()))
    for line in sys.stdin:
        _answer(out, _obey(worker, json.loads(line)))


def _obey(worker: Worker, command: dict[str, Any]) -> object:
    match command["do"]:
        case "begin":
            return worker.begin()
        case "serve":
            return worker.serve(command["path"], command["requests"])
        case "end":
            return worker.end()
        case "cover":
            return worker.cover(command["endpoints"])
        case _:
            return worker.captured()


def _answer(out: TextIO, document: object) -> None:
    out.write(json.dumps(document) + "\n")
    out.flush()


if __name__ == "__main__":
    main()
