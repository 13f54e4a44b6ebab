from __future__ import annotations

import io
import json
import time
from dataclasses import replace
from typing import Any, NoReturn

import pytest
from django.db import OperationalError
from django.http.request import UnreadablePostError
from django.test import Client
from django.urls import include, path, reverse

import prs_otel
from alerting import conf
from alerting.api import build_api
from alerting.endpoints.site import Site
from alerting.inbox import Inbox
from alerting.models import Alert, ExternalAlert, ReceivedSignature
from alerting.status import Status
from alerting.webhook import document, forms
from alerting.webhook.token_bucket import TokenBucket
from tests.support import posts
from tests.support.alerting_source import FakeSource
from tests.support.posts import SECRET, encoded, signed

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

URL = "/api/alerting/webhook/"
inboxes = [Inbox("shop", 3600.0)]
site = Site(
    [lambda _: None],
    lambda _: Status(),
    FakeSource,
    "1.2.3",
    inbox=lambda: inboxes[-1],
    secrets=conf.webhook_secrets,
)
urlpatterns = [path("api/alerting/", include(prs_otel.mounted(build_api(site))))]


@pytest.fixture(autouse=True)
def _nobody_is_too_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TokenBucket, "take", lambda *_, **__: 0)


@pytest.fixture
def has_secret(settings: Any) -> None:
    settings.ALERTING_SETTINGS = {"WEBHOOK_SECRET": SECRET}


@pytest.fixture
def client() -> Client:
    """Return a client that is as strict about CSRF as a browser's victim needs it."""
    return Client(enforce_csrf_checks=True)


def post(client: Client, posted: object, **headers: str) -> Any:
    body = posted if isinstance(posted, bytes) else encoded(posted)
    return client.post(URL, body, "application/json", headers=headers)


def outcome(response: Any) -> tuple[int, Any]:
    return response.status_code, response.json()


def rows() -> list[tuple[str, str, bool]]:
    found = ExternalAlert.objects.order_by("id")
    return [(row.source, row.name, row.is_firing) for row in found]


def test_whoever_can_reach_it_may_post_while_there_is_no_secret(client: Client) -> None:
    assert reverse("prs_alerting:webhook") == URL
    response = post(client, posts.simple(labels={"queue": "mail"}))

    assert outcome(response) == (202, {"accepted": 1, "ignored": 0})
    row = ExternalAlert.objects.get()
    assert (row.service, row.source, row.name) == ("shop", "webhook", "queue_backlog")
    assert (row.severity, row.message) == ("critical", "The queue has 5,000 jobs")
    assert row.labels == {"queue": "mail"}
    assert row.metrics == posts.simple()["metrics"]
    assert (row.is_firing, row.is_settled, row.scope) == (True, False, "")
    assert row.expires_at == pytest.approx(time.time() + 3600, abs=60)


def test_each_form_is_a_source_of_its_own(client: Client) -> None:
    for posted in (posts.simple(), posts.alertmanager(), posts.grafana()):
        assert post(client, posted).status_code == 202

    assert rows() == [
        ("webhook", "queue_backlog", True),
        ("alertmanager", "InstanceDown", True),
        ("grafana", "Disk is full", True),
    ]


def test_what_is_posted_again_is_the_same_alert(client: Client) -> None:
    for posted in (posts.simple(), posts.simple(message="worse", severity="error")):
        assert outcome(post(client, posted))[1]["accepted"] == 1

    row = ExternalAlert.objects.get()
    assert (row.message, row.severity) == ("worse", "error")


def test_it_is_over_once_its_source_says_so(client: Client) -> None:
    post(client, posts.simple())
    over = {"name": "queue_backlog", "status": "resolved"}

    assert outcome(post(client, over))[1] == {"accepted": 1, "ignored": 0}
    assert outcome(post(client, over))[1] == {"accepted": 0, "ignored": 1}
    row = ExternalAlert.objects.get()
    assert (row.is_firing, row.message) == (False, "The queue has 5,000 jobs")


def test_a_beginning_that_comes_after_its_end_begins_nothing(client: Client) -> None:
    fired = posts.alertmanager()
    over = posts.alertmanager(
        posts.prometheus_alert(status="resolved", endsAt="2026-01-31T12:05:00Z")
    )
    later = posts.alertmanager(posts.prometheus_alert(startsAt="2026-01-31T13:00:00Z"))

    states = []
    for posted in (fired, over, fired, later, over):
        post(client, posted)
        states.append(ExternalAlert.objects.get().is_firing)

    assert states == [True, False, False, True, True]


def test_of_two_reports_on_one_alert_the_later_counts(client: Client) -> None:
    over = posts.prometheus_alert(status="resolved")
    post(client, posts.alertmanager())

    post(client, posts.alertmanager(posts.prometheus_alert(), over))

    assert rows() == [("alertmanager", "InstanceDown", False)]


def test_its_name_and_labels_stay_for_as_long_as_it_fires(client: Client) -> None:
    post(client, posts.simple(fingerprint="1", labels={"a": "1"}))
    post(client, posts.simple(fingerprint="1", labels={"a": "2"}, name="other"))

    row = ExternalAlert.objects.get()
    assert (row.name, row.labels["a"]) == ("queue_backlog", "1")


def test_an_alert_of_our_own_that_comes_back_is_none(client: Client) -> None:
    own = Alert.objects.create(
        id="9f2c7a54-6d0e-4c19-9a3b-0c8f6e1d2b47",
        fingerprint="f" * 32,
        episode=1,
        name="high_cpu_usage",
        severity="critical",
        state="firing",
        message="",
        sequence=1,
        started_at="2026-01-31T12:00:00Z",
        fired_at="2026-01-31T12:00:00Z",
    )
    entry = posts.prometheus_alert(annotations={"alert_id": str(own.id)})
    unknown = posts.prometheus_alert(
        annotations={"alert_id": str(own.id).replace("9", "8")}, fingerprint="2"
    )

    found = post(client, posts.alertmanager(entry, unknown)).json()

    assert found == {"accepted": 1, "ignored": 1}


@pytest.mark.usefixtures("has_secret")
def test_a_secret_closes_it_for_all_who_do_not_know_it(client: Client) -> None:
    body = encoded(posts.simple())
    refused = [
        post(client, body),
        post(client, body, Authorization="Bearer wrong"),
        post(client, body, Authorization=f"Basic {SECRET}"),
        post(client, body, **signed(body, secret="wrong")),
        post(client, body, **signed(body + b" ")),
        post(client, body, **signed(body, at=time.time() - 400)),
        post(client, body, **{**signed(body), "X-Prs-Timestamp": ""}),
    ]

    assert {(r.status_code, r.content) for r in refused} == {(401, refused[0].content)}
    assert rows() == []


@pytest.mark.usefixtures("has_secret")
def test_who_knows_the_secret_may_post(client: Client) -> None:
    body = encoded(posts.simple())

    assert post(client, body, **signed(body)).status_code == 202
    assert post(client, body, Authorization=f"Bearer {SECRET}").status_code == 202
    assert post(client, body, Authorization=f"bearer {SECRET}").status_code == 202


@pytest.mark.usefixtures("has_secret")
def test_a_signature_is_good_once(client: Client) -> None:
    body = encoded(posts.simple())
    headers = signed(body)
    first, second = (post(client, body, **headers) for _ in range(2))
    large = {**headers, "X-Prs-Signature": headers["X-Prs-Signature"][3:].upper()}

    assert (first.status_code, second.status_code) == (202, 401)
    assert post(client, body, **large).status_code == 401
    assert ReceivedSignature.objects.count() == 1


@pytest.mark.usefixtures("has_secret")
def test_what_was_not_taken_may_be_sent_again_as_it_is(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = encoded(posts.simple())
    headers = signed(body)

    def fail(*_: object) -> None:
        raise OperationalError

    with monkeypatch.context() as broken:
        broken.setattr(Inbox, "_make_room", fail)
        assert post(client, body, **headers).status_code == 503

    assert post(client, body, **headers).status_code == 202


def test_old_signatures_are_forgotten(client: Client, settings: Any) -> None:
    settings.ALERTING_SETTINGS = {"WEBHOOK_SECRET": SECRET}
    ReceivedSignature.objects.create(digest="old", received_at="2020-01-01T00:00:00Z")
    body = encoded(posts.simple())

    post(client, body, **signed(body))

    assert not ReceivedSignature.objects.filter(digest="old").exists()


def test_a_source_of_a_name_is_known_by_its_secret(
    client: Client, settings: Any
) -> None:
    settings.ALERTING_SETTINGS = {"WEBHOOK_SECRET": {"eu": "one", "us": "two"}}
    group = posts.alertmanager()

    def status(path: str, token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        body = encoded(group)
        answer = client.post(path, body, "application/json", headers=headers)
        return answer.status_code

    assert status(URL, "one") == 202
    assert status(f"{URL}?source=us", "two") == 202
    assert status(f"{URL}?source=us", "one") == 401
    assert status(f"{URL}?source=nowhere", "one") == 401
    assert [source for source, *_ in rows()] == ["eu", "us"]


def test_no_source_resolves_the_alert_of_another(client: Client) -> None:
    over = posts.grafana(status="resolved", fingerprint="c3f9d4e1a2b70516")
    post(client, posts.alertmanager())

    assert outcome(post(client, over))[1] == {"accepted": 0, "ignored": 1}
    assert rows() == [("alertmanager", "InstanceDown", True)]


@pytest.mark.parametrize("wrong", [b"bytes", 5, {"eu": ""}, []])
def test_a_secret_that_cannot_be_read_lets_nobody_in(
    client: Client, settings: Any, wrong: object
) -> None:
    settings.ALERTING_SETTINGS = {"WEBHOOK_SECRET": wrong}

    response = post(client, posts.simple(), Authorization="Bearer bytes")

    assert response.status_code == 401


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_it_can_only_be_posted_to(client: Client, method: str) -> None:
    assert getattr(client, method)(URL).status_code == 405


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'{"name": "a", "metrics": {"a": NaN}}', 400),
        (b"[" * 1000, 400),
        (b'{"name": "a"}', 422),
        (b'{"alerts": [5]}', 422),
        (b'{"alerts": [' + b"{}," * 500 + b"{}]}", 413),
        (b" " * (256 * 1024 + 1), 413),
    ],
)
def test_what_is_wrong_with_a_post_is_told(
    client: Client, body: bytes, status: int
) -> None:
    response = post(client, body)

    assert response.status_code == status
    assert response.json()["detail"]


def test_a_chunked_body_is_read_as_far_as_it_may_go(client: Client) -> None:
    class Stream(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            assert size is not None
            assert 0 < size <= 64 * 1024
            return super().read(size)

    def status(body: bytes) -> int:
        chunked: dict[str, Any] = {
            "CONTENT_LENGTH": "",
            "wsgi.input_terminated": True,
            "wsgi.input": Stream(body),
        }
        return client.generic(
            "POST", URL, b"", "application/json", **chunked
        ).status_code

    assert status(encoded(posts.simple())) == 202
    assert status(b" " * (300 * 1024)) == 413


def test_too_many_requests_are_told_when_to_come_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TokenBucket, "take", lambda *_, **__: 7)
    monkeypatch.setattr(document, "read", None)

    response = post(client, posts.simple())

    assert (response.status_code, response["Retry-After"]) == (503, "7")


def test_what_is_over_makes_room_for_what_fires(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.inboxes", [replace(inboxes[0], limit=2)])
    post(client, posts.simple(name="a"))
    post(client, posts.simple(name="b"))
    full = post(client, posts.simple(name="c"))
    ExternalAlert.objects.filter(name="a").update(is_settled=True)
    again = post(client, posts.simple(name="c"))

    assert (full.status_code, full["Retry-After"]) == (503, "60")
    assert again.status_code == 202
    assert [name for _, name, _ in rows()] == ["b", "c"]


def test_without_a_database_the_sender_is_to_come_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("no such table")

    monkeypatch.setattr(Inbox, "_known", fail)

    response = post(client, posts.simple())

    assert response.status_code == 503
    assert "no such table" not in response.content.decode()


def test_two_workers_may_hear_of_the_same_alert_at_the_same_moment(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Inbox._known

    def too_early(inbox: Inbox, *arguments: Any) -> dict[str, ExternalAlert]:
        found = known(inbox, *arguments)
        monkeypatch.setattr(Inbox, "_known", known)
        inbox.keep(forms.read(posts.simple(), now=1.0).alerts, "webhook", now=1.0)
        return found

    monkeypatch.setattr(Inbox, "_known", too_early)

    assert outcome(post(client, posts.simple())) == (
        202,
        {"accepted": 1, "ignored": 0},
    )
    assert len(rows()) == 1


def test_a_body_that_breaks_off_is_refused(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks_off(*_: object, **__: object) -> NoReturn:
        raise UnreadablePostError

    monkeypatch.setattr(document, "read", breaks_off)

    assert post(client, posts.simple()).status_code == 400


def test_the_schema_describes_it() -> None:
    schema = json.loads(json.dumps(build_api(site).get_openapi_schema()))
    operation = schema["paths"]["/api/alerting/webhook/"]["post"]
    body = operation["requestBody"]["content"]["application/json"]["schema"]

    simple, group = body["oneOf"]
    assert {"name", "severity", "message", "metrics"} <= simple["properties"].keys()
    fields = group["properties"]["alerts"]["items"]["properties"]
    assert {"status", "labels", "annotations", "startsAt"} <= fields.keys()
    # What is something else is left aside, so that nothing of it would be refused.
    assert all(each.keys() == {"description"} for each in fields.values())
    assert {"202", "400", "401", "413", "422", "503"} <= operation["responses"].keys()
