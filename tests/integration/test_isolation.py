"""Who is let in by a real server, and that no tenant sees another.

Endpoints and parameters are those of the OpenAPI documents, so that a new one is covered by
being there; what a user without staff rights may read is named here, and nothing else is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import pytest

from tests.support import monitored, openapi, people, sites
from tests.support.http import Client, Response
from tests.support.openapi import Operation
from tests.support.people import Person
from tests.support.servers import gunicorn, serving
from tests.support.sites import Site
from tests.support.wait import wait_until

OURS, THEIRS, NOBODYS = 41, 3, 2
"""So many requests, with a query each, had `acme`, `globex` and no organisation at all."""

SUMMARY: Final = Operation("GET", "/api/monitoring/performance/summary/", ())
# It takes no login: what it takes is test_webhook's to judge, and it shows nothing.
WEBHOOK: Final = "POST /api/alerting/webhook/"
PUBLIC: Final = {"GET /api/monitoring/system/health/"}
OF_AN_ORGANIZATION: Final = {
    "GET /api/monitoring/performance/summary/",
    "GET /api/monitoring/performance/latency/",
    "GET /api/monitoring/performance/trends/",
    "GET /api/monitoring/database/slow-queries/",
    "GET /api/monitoring/api/slow-calls/",
}
ADMINISTRATION: Final = {"/api/monitoring/config/", "/api/monitoring/maintenance/"}
DOCUMENTATION: Final = [
    f"{base}{name}"
    for base in openapi.APIS
    for name in ("openapi.json", "docs/", "docs/swagger-ui.css")
]
# What a request may say of itself to be taken for somebody else's.
CLAIMS: Final = [
    *("X-Organization", "X-Organization-Id", "X-Org", "X-Tenant", "X-Tenant-Id"),
    *("X-User", "X-Forwarded-User", "Remote-User", "X-Original-Url"),
]
GUESSES: Final = [
    *("organization_id", "organization", "organization[]", "org", "org_id", "tenant"),
    *("tenant_id", "user", "user_id", "scope", "where", "is_staff", "auth", "all"),
]
UNSAFE: Final = ["POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True)
class Served:
    """A site with the figures of two organisations, and its people."""

    site: Site
    client: Client
    people: Mapping[str, Person]
    operations: list[Operation] = field(default_factory=list)

    def ask(
        self, operation: Operation, headers: Mapping[str, str], **query: str
    ) -> Response:
        """Send a request that carries nothing but an empty document."""
        path = f"{operation.path}?{urlencode(query)}" if query else operation.path
        body = None if operation.is_safe else b"{}"
        typed = {} if operation.is_safe else {"Content-Type": "application/json"}
        return self.client.send(
            operation.method, path, body=body, headers={**typed, **headers}
        )

    def outcomes(self, headers: Mapping[str, str]) -> dict[str, int]:
        """Return with which status each operation answers."""
        return {
            str(each): self.ask(each, headers).status
            for each in self.operations
            if str(each) not in PUBLIC
        }


@pytest.fixture(scope="module")
def served(
    _template: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    site = monitored.quick(
        sites.copied(_template, tmp_path_factory.mktemp("site")),
        SCRAPE_ENDPOINT=True,
        SLOW_API_THRESHOLD=0,
        SLOW_QUERY_THRESHOLD=0,
        TENANT_RESOLVER="library.tenants.of_request",
        USER_ORGANIZATION="library.tenants.of_user",
    )
    who = people.made(
        site,
        *("acme-alice", "globex-bob", "carol", "globex-gone"),
        *("staff:is_staff", "leaver:is_staff", "root:is_staff,is_superuser"),
    )
    with serving(site, gunicorn()) as server:
        found = Served(site, server.client, who)
        send_traffic(found)
        listed = openapi.operations(server.client, who["root"].bearer)
        found.operations.extend(each for each in listed if str(each) != WEBHOOK)
        yield found


def send_traffic(served: Served) -> None:
    ours, theirs = {"X-Organization": "acme"}, {"X-Organization": "globex"}
    for path, count, headers in (
        ("/queries/one/", OURS, ours),
        # Slower than whatever else is asked here, so that its samples are kept.
        ("/queries/slow/?seconds=0.4", THEIRS, theirs),
        ("/queries/iterates/", NOBODYS, {}),
    ):
        for _ in range(count):
            assert served.client.get(path, **headers).status == 200

    def counted(name: str) -> int:
        answer = served.ask(SUMMARY, served.people[name].bearer)
        return int(answer.json()["requests"]["count"])

    wait_until(lambda: counted("acme-alice") == OURS, every=0.3)
    wait_until(lambda: counted("globex-bob") == THEIRS, every=0.3)


@pytest.fixture(params=["session", "token"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def read(served: Served) -> list[Operation]:
    """Return what a user of an organisation may read."""
    found = [each for each in served.operations if str(each) in OF_AN_ORGANIZATION]
    assert len(found) == len(OF_AN_ORGANIZATION)
    return found


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Return every text and number of a document with its place."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield path, key
            yield from leaves(each, f"{path}.{key}")
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each, path)
    else:
        yield path, value


def leaks(response: Response) -> list[tuple[str, Any]]:
    """Return what `globex` could not have told of itself: names of ours, larger counts."""
    document = response.json()
    return [
        (path, value)
        for path, value in leaves(document)
        if "acme" in str(value)
        or "/queries/one/" in str(value)
        or "library_author" in str(value)
        or (path.endswith("count") and isinstance(value, int) and value > THEIRS)
    ]


def test_the_documents_list_what_there_is(served: Served) -> None:
    paths = {each.path for each in served.operations}

    assert {each.partition(" ")[2] for each in OF_AN_ORGANIZATION | PUBLIC} <= paths
    assert "/api/alerting/history/" in paths


def test_an_anonymous_request_gets_401_everywhere_but_from_health(
    served: Served,
) -> None:
    outcomes = served.outcomes({})

    assert outcomes == dict.fromkeys(outcomes, 401)
    assert {path: served.client.get(path).status for path in DOCUMENTATION} == (
        dict.fromkeys(DOCUMENTATION, 401)
    )


@pytest.mark.parametrize("query", ["", "?ready=1"])
def test_health_tells_the_public_its_status_alone(served: Served, query: str) -> None:
    response = served.client.get(f"/api/monitoring/system/health/{query}")

    assert response.status == 200
    assert set(response.json()) == {"status"}


@pytest.mark.parametrize("text", ["prs_0123456789_abc", "prs__", "x", "", "\xff"])
def test_what_is_no_token_is_nobody(served: Served, text: str) -> None:
    outcomes = served.outcomes({"Authorization": f"Bearer {text}"})

    assert outcomes == dict.fromkeys(outcomes, 401)


def test_a_made_up_session_is_nobody(served: Served) -> None:
    outcomes = served.outcomes({"Cookie": "sessionid=0123456789abcdef0123456789abcdef"})

    assert outcomes == dict.fromkeys(outcomes, 401)


def test_a_user_without_an_organization_is_shown_nothing(
    served: Served, way: str
) -> None:
    outcomes = served.outcomes(served.people["carol"].ways()[way])

    assert outcomes == dict.fromkeys(outcomes, 403)


def test_a_user_of_an_organization_is_shown_what_is_his_and_nothing_of_the_staffs(
    served: Served, way: str
) -> None:
    outcomes = served.outcomes(served.people["globex-bob"].ways()[way])

    assert outcomes == {
        name: 200 if name in OF_AN_ORGANIZATION else 403 for name in outcomes
    }


@pytest.mark.parametrize("way", ["session", "token"])
def test_documentation_is_for_staff(served: Served, way: str) -> None:
    users = {"globex-bob": 403, "carol": 403, "staff": 200, "root": 200}
    for name, status in users.items():
        headers = served.people[name].ways()[way]
        found = [served.client.get(path, **headers).status for path in DOCUMENTATION]

        assert found == [status] * len(DOCUMENTATION), name


def test_each_organization_counts_its_own(served: Served, way: str) -> None:
    counts = {
        name: served.ask(SUMMARY, served.people[name].ways()[way]).json()["requests"]
        for name in ("acme-alice", "globex-bob")
    }

    # The site's resolver believes a header, and other tests claim to be ours.
    assert counts["acme-alice"]["count"] >= OURS
    assert counts["globex-bob"]["count"] == THEIRS


@pytest.mark.parametrize("name", ["api/slow-calls", "database/slow-queries"])
def test_each_organization_is_shown_its_own_samples(served: Served, name: str) -> None:
    slow = Operation("GET", f"/api/monitoring/{name}/", ())
    items = served.ask(slow, served.people["globex-bob"].bearer).json()["items"]

    assert [each["endpoint"] for each in items] == ["/queries/slow/"] * THEIRS
    assert {each["organization_id"] for each in items} == {"globex"}


def test_no_parameter_shows_another_organization(served: Served, way: str) -> None:
    headers = served.people["globex-bob"].ways()[way]
    for operation in read(served):
        known = dict.fromkeys(operation.parameters, "acme")
        wide = {"hours": "8760", "limit": "100", "offset": "0"}
        attempts = [
            {},
            wide,
            *({**wide, name: "acme"} for name in {*operation.parameters, *GUESSES}),
            *({name: "/queries/one/"} for name in operation.parameters),
            *({name: ""} for name in operation.parameters),
            known,
            dict.fromkeys(GUESSES, "acme"),
            {"organization_id": "globex&organization_id=acme"},
        ]
        for query in attempts:
            response = served.ask(operation, headers, **query)

            assert response.status in {200, 403, 422}, (str(operation), query)
            if response.status == 200:
                assert leaks(response) == [], (str(operation), query)


def test_the_same_parameter_twice_shows_no_other_organization(
    served: Served, way: str
) -> None:
    headers = served.people["globex-bob"].ways()[way]
    for operation in read(served):
        for pair in (("globex", "acme"), ("acme", "globex")):
            query = urlencode([("organization_id", value) for value in pair])
            response = served.client.get(f"{operation.path}?{query}", **headers)

            assert response.status in {200, 403, 422}
            if response.status == 200:
                assert leaks(response) == []


def test_nothing_that_a_request_claims_shows_another_organization(
    served: Served, way: str
) -> None:
    headers = served.people["globex-bob"].ways()[way]
    for operation in read(served):
        for name in CLAIMS:
            for value in ("acme", "acme-alice", "root"):
                response = served.ask(operation, {**headers, name: value})

                assert response.status == 200, (name, response.text)
                assert leaks(response) == [], (str(operation), name)


def test_an_etag_of_somebody_else_shows_nothing(served: Served) -> None:
    ours, theirs = served.people["acme-alice"], served.people["globex-bob"]
    for operation in read(served):
        etag = served.ask(operation, ours.bearer).headers["ETag"]
        response = served.ask(operation, {**theirs.bearer, "If-None-Match": etag})

        assert response.status == 200
        assert leaks(response) == []
        assert "Authorization" in response.headers["Vary"]
        assert "private" in response.headers["Cache-Control"]


def test_staff_see_every_organization(served: Served, way: str) -> None:
    headers = served.people["staff"].ways()[way]
    rows = served.ask(SUMMARY, headers).json()["organizations"]
    counts = {row["organization_id"]: row["count"] for row in rows}

    assert counts["acme"] >= OURS
    assert counts["globex"] >= THEIRS


def test_what_changes_something_needs_the_csrf_token_in_a_session(
    served: Served,
) -> None:
    root = served.people["root"]
    for operation in unsafe(served):
        refused = served.ask(operation, root.cookie)
        wrong = {**root.cookie_with_csrf, "X-CSRFToken": "d" * 32}
        mistaken = served.ask(operation, wrong)
        accepted = served.ask(operation, root.cookie_with_csrf)
        by_token = served.ask(operation, root.bearer)

        assert refused.status == 403, str(operation)
        assert mistaken.status == 403, str(operation)
        assert "CSRF" in refused.text
        assert accepted.status not in {401, 403, 500}, str(operation)
        assert by_token.status not in {401, 403, 500}, str(operation)


def test_what_changes_something_is_not_for_a_user_of_an_organization(
    served: Served,
) -> None:
    for name in ("globex-bob", "carol", "staff"):
        person = served.people[name]
        for operation in unsafe(served):
            for headers in (person.cookie_with_csrf, person.bearer):
                assert served.ask(operation, headers).status == 403, (
                    name,
                    str(operation),
                )


def test_configuration_and_maintenance_are_for_administrators(
    served: Served, way: str
) -> None:
    """Reading too: the settings of a site tell how to go unnoticed."""
    found = [each for each in served.operations if each.path in ADMINISTRATION]
    assert {each.path for each in found} == ADMINISTRATION

    for name in ("globex-bob", "carol", "staff"):
        headers = served.people[name].cookie_with_csrf
        if way == "token":
            headers = served.people[name].bearer
        statuses = {str(each): served.ask(each, headers).status for each in found}

        assert statuses == dict.fromkeys(statuses, 403), name


@pytest.mark.parametrize("method", UNSAFE)
def test_a_method_that_an_endpoint_does_not_have_changes_nothing(
    served: Served, method: str
) -> None:
    had = {(each.method, each.path) for each in served.operations}
    for path in {each.path for each in served.operations}:
        if (method, path) not in had:
            tried = Operation(method, path, ())
            response = served.ask(tried, served.people["root"].bearer)

            assert response.status == 405, path
            assert set(response.json()) == {"detail"}


def test_a_method_is_what_was_sent(served: Served) -> None:
    """No header and no parameter turns a read into something else."""
    headers = {
        **served.people["globex-bob"].bearer,
        "X-HTTP-Method-Override": "DELETE",
        "X-HTTP-Method": "POST",
    }
    for operation in read(served):
        assert served.ask(operation, headers, _method="DELETE").status == 200


def test_whoever_is_made_inactive_is_let_in_no_more(served: Served, way: str) -> None:
    headers = served.people["globex-gone"].ways()[way]
    people.change(served.site, "globex-gone", is_active=True)
    before = served.outcomes(headers)

    people.change(served.site, "globex-gone", is_active=False)
    after = served.outcomes(headers)

    assert set(before.values()) == {200, 403}
    assert after == dict.fromkeys(after, 401)


def test_whoever_leaves_the_staff_is_shown_nothing_more(
    served: Served, way: str
) -> None:
    headers = served.people["leaver"].ways()[way]
    people.change(served.site, "leaver", is_staff=True)
    before = served.outcomes(headers)

    people.change(served.site, "leaver", is_staff=False)
    after = served.outcomes(headers)

    assert 200 in before.values()
    assert after == dict.fromkeys(after, 403)


def test_every_error_has_one_shape_and_names_nothing(served: Served) -> None:
    """An error is no place to learn of routes, files or tables."""
    paths = ["/api/monitoring/nothing/", "/api/alerting/nothing/1/"]
    for path in paths:
        response = served.client.get(path)

        assert response.status == 404
        assert json.loads(response.text) == {"detail": "Not Found"}


def unsafe(served: Served) -> list[Operation]:
    return [each for each in served.operations if not each.is_safe]
