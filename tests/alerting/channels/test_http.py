from __future__ import annotations

import ssl
from collections.abc import Iterator
from urllib.error import URLError

import pytest

from alerting.channels import DeliveryError
from alerting.channels.address import Address
from alerting.channels.http import Answer, Http, Post, _why, judge
from tests.support.notices import AT
from tests.support.receiver import Receiver, receiver

POST = Post(b"body", {"X-One": "1"})


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def judged(status: int, retry_after: str = "") -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        judge(Answer(status, retry_after), "http://host", now=AT)
    return caught.value


def test_what_is_posted_arrives(server: Receiver) -> None:
    Http().send(Address.parse(f"http://me:pass@{server.host}/a?b=c"), POST)

    [request] = server.requests
    assert (request.method, request.path, request.body) == ("POST", "/a?b=c", b"body")
    assert request.headers["X-One"] == "1"
    assert request.headers["Authorization"] == "Basic bWU6cGFzcw=="
    assert request.headers["User-Agent"] == "prs-otel-alerting"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_what_is_taken_is_no_error(status: int) -> None:
    judge(Answer(status), "http://host", now=AT)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_what_may_pass_is_tried_again(status: int) -> None:
    assert not judged(status).permanent


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 403, 404, 410, 413])
def test_what_does_not_pass_is_not_tried_again(status: int) -> None:
    error = judged(status, "60")

    assert error.permanent
    assert error.retry_after is None


def test_an_error_says_who_answered_what() -> None:
    assert str(judged(503)) == "http://host answered 503 Service Unavailable"
    assert str(judged(599)) == "http://host answered 599"
    assert "a redirect is not followed" in str(judged(301))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Tue, 14 Nov 2023 22:15:20 GMT", 120.0),
        ("Tue, 14 Nov 2023 22:15:20 -0000", 120.0),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0.0),
        ("999999999999", 3600.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
    ],
)
def test_how_long_to_wait_is_told_in_seconds_or_by_a_date(
    value: str, seconds: float | None
) -> None:
    assert judged(429, value).retry_after == seconds


def test_the_answers_header_is_read(server: Receiver) -> None:
    server.status, server.headers = 503, {"Retry-After": "7"}

    with pytest.raises(DeliveryError) as caught:
        Http().send(Address.parse(server.origin), POST)

    assert caught.value.retry_after == 7.0


def test_a_redirect_is_not_followed(server: Receiver) -> None:
    with receiver() as other:
        server.status, server.headers = 307, {"Location": other.origin}
        with pytest.raises(DeliveryError, match="answered 307"):
            Http().send(Address.parse(server.origin), POST)

        assert other.requests == []


def test_an_answer_is_read_only_so_far(server: Receiver) -> None:
    server.body = b"x" * 10_000_000

    Http(timeout=5).send(Address.parse(server.origin), POST)

    assert len(server.requests) == 1


def test_no_other_protocol_is_spoken() -> None:
    local = Address("file://", "file:///etc/hostname")

    with pytest.raises(DeliveryError, match="no address that can be posted to"):
        Http().send(local, POST)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (URLError(ConnectionRefusedError(111, "refused")), "(refused)"),
        (URLError("unknown url type: secret"), "no address"),
        (OSError("secret"), "OSError"),
        (TimeoutError("secret"), "no answer within 3 s"),
        (URLError(TimeoutError("secret")), "no answer within 3 s"),
        (ValueError("secret"), "ValueError"),
    ],
)
def test_an_error_is_told_by_its_kind(error: Exception, expected: str) -> None:
    told = _why(error, 3)

    assert expected in told
    assert "secret" not in told


def test_a_certificate_that_is_not_valid_is_told_as_such() -> None:
    error = ssl.SSLCertVerificationError()
    error.verify_message = "self-signed certificate"

    assert "(self-signed certificate)" in _why(URLError(error), 3)
