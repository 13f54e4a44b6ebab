"""The README's examples of reading, run as they stand there against a real server."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support import monitored, people, readme, sites
from tests.support.http import Client
from tests.support.programs import program
from tests.support.servers import free_port, gunicorn, serving
from tests.support.sites import Site
from tests.support.wait import wait_until

REQUESTS: Final = 7
HEADING: Final = "From a script, from a page"

# Runs the example for a while and prints, in order, what it fetched and what it called.
HARNESS: Final = """
const ended = new AbortController();
const say = (event) => console.log(JSON.stringify(event));
const fetched = globalThis.fetch;
globalThis.fetch = async (...asked) => {
  const response = await fetched(...asked);
  say({ status: response.status });
  return response;
};
const { seconds, stops, ...options } = JSON.parse(process.env.OPTIONS);
const end = setTimeout(() => ended.abort(), seconds * 1000);
await watchSummary({
  ...options,
  seconds: 0.2,
  signal: ended.signal,
  show: (summary) => say({ shown: summary.requests.count }),
  tell: (problem) => {
    say({ told: problem });
    if (stops) ended.abort();
  },
});
clearTimeout(end);
"""
ONE_ANSWER: Final = """
const { url, token } = JSON.parse(process.env.OPTIONS);
const headers = { Authorization: `Bearer ${token}` };
console.log(JSON.stringify(await problemOf(await fetch(url, { headers }))));
"""


@dataclass(frozen=True)
class Served:
    """A site that has answered some requests, and two bearer tokens."""

    client: Client
    staff: str
    nobodys: str


@pytest.fixture(scope="module")
def served(
    _template: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    # Flushed seldom, so that the same answer is asked for more than once.
    site = monitored.quick(
        sites.copied(_template, tmp_path_factory.mktemp("site")), FLUSH_INTERVAL=2
    )
    who = people.made(site, "alice:is_staff", "nobody")
    found = {name: person.token for name, person in who.items()}
    with serving(site, gunicorn(workers=1)) as server:
        for _ in range(REQUESTS):
            server.client.get("/plain/")
        served = Served(server.client, found["alice"], found["nobody"])
        wait_until(lambda: shown_by_curl(served) >= REQUESTS, every=0.3)
        yield served


def shown_by_curl(served: Served) -> int:
    done = run_curl(served, served.staff)
    assert done.returncode == 0, done.stderr
    return int(json.loads(done.stdout)["requests"]["count"])


def run_curl(served: Served, token: str) -> subprocess.CompletedProcess[str]:
    program("curl")
    (example,) = readme.blocks("sh", under=HEADING)
    return run(["sh", "-c", example], {"SITE": served.client.url, "TOKEN": token})


def run(
    command: list[str], variables: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        env={"PATH": os.environ["PATH"], **variables},
        text=True,
        timeout=60,
    )


def watched(directory: Path, site: str, token: str = "", **options: Any) -> list[Any]:
    """Run the example of a page, to its first problem by default; return what happened."""
    asked = {"site": site, "token": token, "seconds": 30, "stops": True, **options}
    return scripted(directory, HARNESS, asked)


def scripted(directory: Path, harness: str, options: Mapping[str, Any]) -> list[Any]:
    """Run the example of a page with what a test puts behind it; return what it prints."""
    (example,) = readme.blocks("js", under=HEADING)
    script = directory / "page.mjs"
    script.write_text(example + harness)
    command = [program("node"), str(script)]
    done = run(command, {"OPTIONS": json.dumps(options)})
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_script_prints_the_summary(served: Served) -> None:
    document = json.loads(run_curl(served, served.staff).stdout)

    assert {"window", "requests", "queries", "endpoints"} <= document.keys()
    counts = {each["endpoint"]: each["count"] for each in document["endpoints"]}
    assert counts["/plain/"] == REQUESTS


def test_the_script_fails_without_a_token(served: Served) -> None:
    done = run_curl(served, "")

    assert done.returncode == 22
    assert "401" in done.stderr


def test_the_page_shows_what_is_new_and_nothing_twice(
    served: Served, tmp_path: Path
) -> None:
    events = watched(tmp_path, served.client.url, served.staff, seconds=6, stops=False)

    statuses = [each["status"] for each in events if "status" in each]
    shown = [each["shown"] for each in events if "shown" in each]
    assert {*statuses} == {200, 304}
    assert len(shown) == statuses.count(200)
    assert shown == sorted(shown)
    assert shown[0] >= REQUESTS
    assert not any("told" in each for each in events)


@pytest.mark.parametrize(
    ("whose", "status", "problem"),
    [
        ("", 401, "Sign in to see this."),
        ("nobodys", 403, "Your account belongs to no organisation."),
    ],
)
def test_the_page_tells_who_may_not_see_it(
    served: Served, tmp_path: Path, whose: str, status: int, problem: str
) -> None:
    token = getattr(served, whose) if whose else ""

    events = watched(tmp_path, served.client.url, token)

    assert events[:2] == [{"status": status}, {"told": problem}]


def test_the_page_tells_that_the_server_is_gone(tmp_path: Path) -> None:
    events = watched(tmp_path, f"http://127.0.0.1:{free_port()}")

    assert events[0] == {"told": "The server cannot be reached."}


def test_the_page_tells_which_parameter_was_refused(
    served: Served, tmp_path: Path
) -> None:
    url = f"{served.client.url}/api/monitoring/performance/trends/?hours=0&step=x"
    (problem,) = scripted(tmp_path, ONE_ANSWER, {"url": url, "token": served.staff})

    assert problem.split("; ") == [
        "hours: Input should be greater than 0",
        "step: Input should be a valid integer, unable to parse string as an integer",
    ]


def test_the_page_tells_that_monitoring_is_switched_off(
    site: Site, tmp_path: Path
) -> None:
    off = site.with_settings(MONITORING_SETTINGS={"ENABLED": False})
    token = people.made(off, "alice:is_staff")["alice"].token
    with serving(off, gunicorn(workers=1)) as server:
        events = watched(tmp_path, server.client.url, token)

    assert events[:2] == [{"status": 503}, {"told": "Monitoring is switched off."}]
