"""What every channel tells of an alert, whatever it tells people with."""

from __future__ import annotations

import html
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from alerting.channels import BUILT_IN
from alerting.notifications.silence import Silence
from alerting.notifications.silencing import silence_request
from tests.support.channels import Case, case
from tests.support.notices import message, notice, resolution
from tests.support.receiver import Receiver
from tests.support.smtp import Mailbox

TRACES = [letter * 32 for letter in "abc"]
URLS = [f"https://traces.example/trace/{trace}?from=prs&x=1" for trace in TRACES]
LONG = "SELECT ? FROM deals WHERE " + "a = ? AND " * 97
EVIDENCE: dict[str, Any] = {
    "contributors": [
        {"endpoint": "/deals/", "method": "GET", "count": 40, "share": 0.8},
        {"fingerprint": "ab12", "query": "SELECT ? FROM payments", "share": 0.1},
        *[{"fingerprint": f"cd{n}", "query": LONG} for n in range(3)],
    ],
    "organizations": [{"organization": "acme", "count": 30, "share": 0.6}],
    "code": {"file": "deals/views.py", "line": 17, "function": "receipt"},
    "traces": TRACES,
    "spans": ["1" * 16, "2" * 16, "3" * 16],
    "trace_urls": URLS,
    "also_firing": [{"name": "high_cpu_usage", "severity": "warning", "count": 3}],
}
DETAILED = notice(evidence=EVIDENCE, runbook_url="https://wiki.example/deals")

CHANNELS = [*sorted(set(BUILT_IN) - {"email"}), "email as text", "email as HTML"]


@pytest.fixture(params=CHANNELS)
def told(
    request: pytest.FixtureRequest,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Any]:
    """Send notices on one channel, and return all text that has come out of it."""
    caplog.set_level(logging.INFO, logger="alerting")
    kind, _, form = request.param.partition(" as ")
    with case(kind) as found:

        def tell(*notices: Any) -> str:
            people = found.channel.recipients()
            found.channel.send(message(*notices, recipients=people))
            logged = "".join(record.getMessage() for record in caplog.records)
            return heard(found, form) or f"{logged}{capsys.readouterr().err}"

        yield tell


def heard(found: Case, form: str) -> str:
    if isinstance(found.service, Receiver):
        bodies = [each.json() for each in found.service.requests]
        return "\n".join(text for body in bodies for text in strings(body))
    if isinstance(found.service, Mailbox):
        [mail] = found.service.mails
        part = mail.get_body(("html" if form == "HTML" else "plain",))
        assert part is not None
        return html.unescape(part.get_content())
    return ""


def strings(document: Any) -> Iterator[str]:
    """Yield what a document says, keys and values."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield str(key)
            yield from strings(value)
    elif isinstance(document, list):
        for each in document:
            yield from strings(each)
    else:
        yield str(document)


def has_figures(text: str) -> bool:
    # In the unit of the metric, or as they were measured.
    return ("25 %" in text and "20 %" in text) or ("0.25" in text and "0.2" in text)


def test_the_value_is_told_against_the_threshold(told: Any) -> None:
    assert has_figures(told(DETAILED))


def test_it_is_told_for_how_long(told: Any) -> None:
    found = told(DETAILED)

    assert any(
        text in found
        for text in ("for 1 min", "lasting_seconds=60", "lasting_seconds\n60.0")
    )


def test_the_largest_contributors_are_told(told: Any) -> None:
    found = told(DETAILED)

    for text in ("/deals/", "ab12", "SELECT ? FROM payments", "deals/views.py"):
        assert text in found
    assert "80 %" in found or "0.8" in found


def test_the_share_of_the_organisation_is_told(told: Any) -> None:
    found = told(DETAILED)

    assert "acme" in found
    assert "60 %" in found or "0.6" in found


def test_three_traces_are_told_with_their_links(told: Any) -> None:
    found = told(DETAILED)

    for trace, url in zip(TRACES, URLS, strict=True):
        assert trace in found
        assert url in found


def test_what_else_fires_is_told(told: Any) -> None:
    assert "high_cpu_usage" in told(DETAILED)


def test_the_runbook_is_told(told: Any) -> None:
    assert "https://wiki.example/deals" in told(DETAILED)


def test_it_is_told_how_to_silence_it(told: Any) -> None:
    found = told(DETAILED).replace("\\", "")

    for text in ("POST", "/api/alerting/silences/", "matchers", "alertname", "ends_at"):
        assert text in found


def test_what_is_over_need_not_be_silenced(told: Any) -> None:
    assert "silences" not in told(resolution())


def test_in_html_a_trace_is_a_link_and_nothing_else_is() -> None:
    evil = {
        **EVIDENCE,
        "url": "https://evil.example/",
        "traces": ['"><b>'] * 3,
    }
    with case("email") as found:
        people = found.channel.recipients()
        found.channel.send(message(notice(evidence=evil), recipients=people))
        assert isinstance(found.service, Mailbox)
        part = found.service.mails[0].get_body(("html",))
    assert part is not None

    links = part.get_content().split("<a ")[1:]

    assert [each.partition(">")[0] for each in links] == [
        f'href="{html.escape(url)}"' for url in URLS
    ]


def test_the_request_that_silences_is_one_that_can_be_sent() -> None:
    labels = tuple((f"label.{n}", "x" * 90) for n in range(30))
    unfit = (("not a name", "1"), ("a", "\x00"), ("b", ""))
    body = silence_request(notice(labels=(*unfit, *labels)))

    sent = json.loads(json.dumps(body))
    earlier = "2023-11-14T00:00:00+00:00"
    made = Silence.model_validate({**sent, "starts_at": earlier, "author": "a"})
    assert [each.name for each in made.matchers][:2] == ["alertname", "label.0"]
    assert len(json.dumps(body)) < 900
