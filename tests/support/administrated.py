"""Change settings and maintain a served site, as its administrator does over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tests.support.http import Client, Response
from tests.support.sites import Site
from tests.support.wait import wait_until

_API = "/api/monitoring/"


@dataclass(frozen=True, slots=True)
class Administrator:
    """A superuser with a bearer token."""

    token: str

    def get(self, client: Client, path: str) -> Any:
        """Return the document at a path of the API."""
        response = client.get(_API + path, Authorization=f"Bearer {self.token}")
        assert response.status == 200, response.text
        return response.json()

    def post(self, client: Client, path: str, **body: object) -> Response:
        """Send a document to a path of the API."""
        return client.send(
            "POST",
            _API + path,
            body=json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
            },
        )

    def revisions(self, client: Client) -> dict[int, int]:
        """Return which changes each process says that it works by."""
        found = self.get(client, "config/")["processes"]
        return {each["pid"]: each["revision"] for each in found}


def administrator(site: Site) -> Administrator:
    """Make one."""
    site.manage(
        "createsuperuser", "--noinput", "--username=root", "--email=root@example.org"
    )
    token = site.manage_json(
        "manage_monitoring", "token", "create", "--user=root", "--format=json"
    )
    return Administrator(token["token"])


def reach_all(client: Client, path: str, workers: set[int]) -> int:
    """Send requests until each of the workers has answered one; return how many it took."""
    seen: set[int] = set()

    def answers() -> Iterator[int]:
        with ThreadPoolExecutor(2 * len(workers)) as pool:
            yield from pool.map(
                lambda _: client.get(path).worker, range(2 * len(workers))
            )

    sent = 0

    def everybody() -> bool:
        nonlocal sent
        for worker in answers():
            sent += 1
            seen.add(worker)
        return seen >= workers

    wait_until(everybody, what=lambda: f"{workers} answer, not only {seen}")
    return sent
