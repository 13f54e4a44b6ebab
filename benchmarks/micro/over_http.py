"""Reading over real HTTP: 200 series, 8 workers, a store with a day or a week in it.

gunicorn serves the API from one worker, which also leads, as one of eight would. After every
flush of all workers each document is asked for once, in turns the first of them, as the first
takes over what is new; then, every half second, the same with the tag of its answer, as an open
page does. Wall time as a client sees it, connecting and recognising a bearer token included.
An empty view of the same server, asked by the same client, says how much of that any answer
takes.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Final

from benchmarks.isolation import isolated
from benchmarks.measurement import Measurement, Subject
from benchmarks.micro import day
from benchmarks.micro.reading_server import ReadingServer
from prs_otel.store import open_store

if TYPE_CHECKING:
    from benchmarks.options import Options

GROUP: Final = "reading over HTTP, 200 series, 8 workers"
DOCUMENTS: Final = (
    "performance/summary",
    "performance/trends",
    "performance/latency",
    "database/metrics",
    "api/trends",
)
LIMITS: Final = {24: 50.0, 168: 150.0}
NOT_MODIFIED_LIMIT: Final = 2.0
POLLS: Final = 4
POLL_EVERY: Final = 0.5
WARM_UP_SECONDS: Final = 15.0
MILLISECONDS: Final = 1e3
OK, NOT_MODIFIED = 200, 304


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: how long it took, in milliseconds, and the tag for the next time."""

    status: int
    took: float
    etag: str


def measure(options: Options) -> list[Measurement]:
    """Read a day, then a week, after every flush."""
    return [one for hours in LIMITS for one in _window(options, hours)]


def _window(options: Options, hours: int) -> Iterator[Measurement]:
    directory = options.directory / f"http-{hours}"
    directory.mkdir()
    store = f"sqlite:///{directory}/store.sqlite3"
    isolated(day.prepare, store, _load(hours))
    took: dict[str, list[float]] = defaultdict(list)
    with ReadingServer(directory, store, hours=hours) as server:
        for name, milliseconds in _taken(options, server, hours, store):
            took[name].append(milliseconds)
    for name in DOCUMENTS:
        subject = Subject(GROUP, f"{name}, {hours} h, warm", "ms", LIMITS[hours])
        yield subject.median_of(took[name])
    subject = Subject(GROUP, f"304, {hours} h", "ms", NOT_MODIFIED_LIMIT)
    yield subject.median_of(took["304"])
    yield Subject(GROUP, f"an empty view, {hours} h", "ms").median_of(took["empty"])


def _taken(
    options: Options, server: ReadingServer, hours: int, store: str
) -> Iterator[tuple[str, float]]:
    """Yield what was asked for and the milliseconds it took."""
    writer = day.Day(open_store(store), _load(hours), now=time.time())
    for name in DOCUMENTS:
        _ask(server, name, hours)
    # Meanwhile the worker has come to lead, and put the first deltas in order.
    time.sleep(WARM_UP_SECONDS)
    for turn in range(options.rounds):
        time.sleep(day.STEP)
        writer.flush(now=time.time())
        first = turn % len(DOCUMENTS)
        tags: dict[str, str] = {}
        for name in (*DOCUMENTS[first:], *DOCUMENTS[:first]):
            answer = _ask(server, name, hours)
            tags[name] = answer.etag
            yield name, answer.took
        yield from _polled(server, hours, tags)


def _polled(
    server: ReadingServer, hours: int, tags: dict[str, str]
) -> Iterator[tuple[str, float]]:
    """Yield what an open page takes until the next flush."""
    for _ in range(POLLS):
        time.sleep(POLL_EVERY)
        for name, etag in tags.items():
            again = _ask(server, name, hours, etag=etag)
            # Seldom the server itself has handed over something in between.
            if again.status == NOT_MODIFIED:
                yield "304", again.took
        yield "empty", _get(server, "/empty/").took


def _ask(server: ReadingServer, name: str, hours: int, etag: str = "") -> Answer:
    return _get(server, f"/api/monitoring/{name}/?hours={hours}", etag)


def _get(server: ReadingServer, path: str, etag: str = "") -> Answer:
    headers = {"Authorization": f"Bearer {server.credential}"}
    if etag:
        headers["If-None-Match"] = etag
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    began = time.perf_counter()
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    took = (time.perf_counter() - began) * MILLISECONDS
    if response.status not in {OK, NOT_MODIFIED}:
        raise RuntimeError(f"{path} answered {response.status}: {body[:500]!r}")
    return Answer(response.status, took, response.headers.get("ETag", ""))


def _load(hours: int) -> day.Load:
    return day.Load(series=200, hours=hours)
