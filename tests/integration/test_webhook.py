"""Alerts of other systems reach people, by real servers and a real Alertmanager."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support import posts
from tests.support.http import Client
from tests.support.mariadb import mariadb
from tests.support.monitored import quick
from tests.support.postgres import postgres
from tests.support.posts import SECRET, encoded, signed
from tests.support.processes import running
from tests.support.programs import program
from tests.support.servers import free_port, gunicorn, serving, uvicorn
from tests.support.sites import REPOSITORY, Site
from tests.support.wait import wait_until

PATH: Final = "/api/alerting/webhook/"
PAGE: Final = REPOSITORY / "docs" / "webhook.md"
ADDRESS: Final = "https://shop.example.org"
SHELL: Final = ["bash", "-e", "-o", "pipefail", "-c"]
SETTINGS: Final = {
    "EVALUATION_INTERVAL": 1.0,
    "EMAIL_BATCH_SIZE": 1,
    "WEBHOOK_SECRET": ["an older one", SECRET],
}


@pytest.fixture
def alerted(site: Site) -> Site:
    return quick(site).with_settings(ALERTING_SETTINGS=SETTINGS)


def subjects(site: Site, name: str) -> list[str]:
    """Return the subjects of all mails about `name`, oldest first."""
    found = [
        subject.strip()
        for mail in site.mails()
        for subject in re.findall(r"^Subject: (.*)$", mail, re.MULTILINE)
    ]
    return [subject for subject in found if name in subject]


def wait_for_mails(site: Site, name: str, count: int) -> list[str]:
    wait_until(
        lambda: len(subjects(site, name)) >= count,
        seconds=40,
        every=0.2,
        what=lambda: f"{count} mails about {name}: {subjects(site, name)}",
    )
    return subjects(site, name)


def post(client: Client, body: bytes, **headers: str) -> int:
    return client.send("POST", PATH, body=body, headers=headers).status


def chunked(client: Client, body: bytes) -> int:
    """Post a body without saying how long it is."""
    connection = HTTPConnection("127.0.0.1", client.port, timeout=20)
    headers = {"Authorization": f"Bearer {SECRET}"}
    try:
        connection.request("POST", PATH, iter([body]), headers, encode_chunked=True)
        return connection.getresponse().status
    finally:
        connection.close()


def test_what_is_posted_to_any_worker_is_told_once_and_so_is_its_end(
    alerted: Site,
) -> None:
    body = encoded(posts.simple())
    over = encoded({"name": "queue_backlog", "status": "resolved"})

    with serving(alerted, gunicorn(workers=3)) as server:
        headers = signed(body)
        assert post(server.client, body, **headers) == 202
        with ThreadPoolExecutor(8) as pool:
            replays = list(
                pool.map(lambda _: post(server.client, body, **headers), range(8))
            )
            again = list(
                pool.map(
                    lambda _: post(
                        server.client, body, Authorization=f"Bearer {SECRET}"
                    ),
                    range(8),
                )
            )
        wait_for_mails(alerted, "queue_backlog", 1)
        assert post(server.client, over, **signed(over)) == 202
        mails = wait_for_mails(alerted, "queue_backlog", 2)

        assert replays == [401] * 8
        assert again == [202] * 8
        assert post(server.client, body) == 401
        assert server.failures() == []

    assert ["resolved" in subject for subject in mails] == [False, True]


def test_of_one_signature_sent_to_all_workers_at_once_one_is_taken(
    alerted: Site,
) -> None:
    body = encoded(posts.simple())
    headers = signed(body)

    with (
        serving(alerted, gunicorn("--threads=2", workers=3)) as server,
        ThreadPoolExecutor(12) as pool,
    ):
        answers = list(
            pool.map(lambda _: post(server.client, body, **headers), range(12))
        )

    assert sorted(answers) == [202, *[401] * 11]


@pytest.mark.parametrize("server", [postgres, mariadb])
def test_other_databases_keep_what_comes_at_once_as_well(
    alerted: Site, server: Callable[[], AbstractContextManager[dict[str, object]]]
) -> None:
    entries = [posts.prometheus_alert(fingerprint=str(at)) for at in range(50)]
    group = encoded(posts.alertmanager(*entries))
    once = encoded(posts.simple())
    headers = signed(once)
    bearer = {"Authorization": f"Bearer {SECRET}"}

    with server() as database:
        other = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
        databases = {"default": database, "other": other}
        site = alerted.with_settings(DATABASES=databases)
        site.manage("migrate", "--run-syncdb", "--verbosity=0", seconds=120)
        with (
            serving(site, gunicorn("--threads=2", workers=3)) as served,
            ThreadPoolExecutor(12) as pool,
        ):
            groups = list(
                pool.map(lambda _: post(served.client, group, **bearer), range(12))
            )
            replays = list(
                pool.map(lambda _: post(served.client, once, **headers), range(12))
            )
            mails = wait_for_mails(site, "InstanceDown", 1)

    assert groups == [202] * 12
    assert sorted(replays) == [202, *[401] * 11]
    assert len(mails) == 1


@pytest.mark.parametrize("command", [gunicorn(), uvicorn()], ids=["wsgi", "asgi"])
def test_a_chunked_body_is_read_and_one_without_end_is_not(
    alerted: Site, command: list[str]
) -> None:
    with serving(alerted, command) as server:
        assert chunked(server.client, encoded(posts.simple())) == 202
        assert chunked(server.client, b" " * (300 * 1024)) == 413


def test_who_posts_too_fast_is_told_when_to_come_again(alerted: Site) -> None:
    with serving(alerted, gunicorn(workers=1)) as server:
        answers = [server.client.send("POST", PATH, body=b"{}") for _ in range(150)]

    assert {answer.status for answer in answers} == {401, 503}
    refused = next(answer for answer in answers if answer.status == 503)
    assert int(refused.headers["Retry-After"]) >= 1


def test_the_examples_of_the_page_work_as_they_are(alerted: Site) -> None:
    fires, over = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.S | re.M)
    for name in ("curl", "openssl"):
        program(name)

    with serving(alerted, gunicorn(workers=2)) as server:

        def run(script: str) -> Any:
            assert ADDRESS in script
            done = subprocess.run(
                [*SHELL, script.replace(ADDRESS, server.client.url)],
                env={**alerted.variables(), "WEBHOOK_SECRET": SECRET},
                capture_output=True,
                timeout=30,
                check=True,
            )
            return json.loads(done.stdout)

        assert run(fires) == {"accepted": 1, "ignored": 0}
        wait_for_mails(alerted, "queue_backlog", 1)
        assert run(over) == {"accepted": 1, "ignored": 0}
        wait_for_mails(alerted, "queue_backlog", 2)


@contextmanager
def alertmanager(directory: Path, target: str) -> Iterator[Client]:
    """Run an Alertmanager that posts everything to `target` at once."""
    port = free_port()
    receiver = {
        "name": "shop",
        "webhook_configs": [
            {
                "url": f"{target}{PATH}",
                "http_config": {"authorization": {"credentials": SECRET}},
            }
        ],
    }
    route = {
        "receiver": "shop",
        "group_by": ["alertname"],
        "group_wait": "0s",
        "group_interval": "1s",
        "repeat_interval": "1h",
    }
    # JSON is YAML.
    config = directory / "alertmanager.yml"
    config.write_text(json.dumps({"route": route, "receivers": [receiver]}))
    command = [
        program("prometheus-alertmanager"),
        f"--config.file={config}",
        f"--storage.path={directory / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    client = Client(port)
    log = directory / "alertmanager.log"
    with running(command, log=log, environment={}, directory=directory) as process:

        def is_ready() -> bool:
            try:
                return client.get("/-/ready").status == 200
            except OSError:
                return False

        wait_until(is_ready, what=process.output)
        yield client


def test_a_real_alertmanager_is_heard_until_it_says_that_all_is_well(
    alerted: Site, tmp_path: Path
) -> None:
    alert = {
        "labels": {"alertname": "InstanceDown", "severity": "page", "instance": "db1"},
        "annotations": {"summary": "db1 is down"},
        "startsAt": "2026-01-31T12:00:00Z",
    }

    def push(client: Client, **fields: str) -> None:
        body = encoded([{**alert, **fields}])
        headers = {"Content-Type": "application/json"}
        answer = client.send("POST", "/api/v2/alerts", body=body, headers=headers)
        assert answer.status == 200, answer.text

    with (
        serving(alerted, gunicorn(workers=2)) as server,
        alertmanager(tmp_path, server.client.url) as source,
    ):
        push(source)
        [fired] = wait_for_mails(alerted, "InstanceDown", 1)
        push(source, endsAt="2026-01-31T12:05:00Z")
        mails = wait_for_mails(alerted, "InstanceDown", 2)

    assert "critical" in fired
    assert len(mails) == 2
    assert "resolved" in mails[1]
