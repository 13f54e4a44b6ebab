from __future__ import annotations

from typing import Any

import pytest

from prs_otel.instrumentation.client import (
    describe_client,
    describe_method,
    product,
)
from tests.support.traces import tracing


def described(attributes: dict[str, Any], **meta: str) -> dict[str, Any]:
    """Return what is left of a span's attributes for a request with these headers."""
    span = (
        tracing().provider.get_tracer("test").start_span("GET", attributes=attributes)
    )
    describe_client(span, meta)
    describe_method(span)
    return dict(span.attributes)  # type: ignore[attr-defined] # of the SDK's span


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        ("curl/8.5.0", "curl/8.5.0"),
        ("Mozilla/5.0 (X11; alice@example.org)", "Mozilla/5.0"),
        ("kube-probe", "kube-probe"),
        ("alice@example.org", "REDACTED"),
        ("4111111111111111", "REDACTED"),
        ("App/4111111111111111", "REDACTED"),
        ("", ""),
    ],
)
def test_of_a_user_agent_the_first_product_is_told(agent: str, expected: str) -> None:
    assert product(agent) == expected


@pytest.mark.parametrize("name", ["user_agent.original", "http.user_agent"])
def test_a_span_has_the_product_in_either_convention(name: str) -> None:
    attributes = {name: "Mozilla/5.0 (X11)"}

    found = described(attributes, HTTP_USER_AGENT="Mozilla/5.0 (X11)")

    assert found == {name: "Mozilla/5.0"}


@pytest.mark.parametrize("name", ["client.address", "net.peer.ip"])
@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("alice@example.org", "REDACTED"),
    ],
)
def test_a_forwarded_address_is_told_if_it_is_one(
    name: str, address: str, expected: str
) -> None:
    assert described({name: address}, HTTP_X_FORWARDED_FOR=address) == {name: expected}


def test_a_span_without_client_gets_none() -> None:
    meta = {"HTTP_USER_AGENT": "Mozilla/5.0 (X11)", "HTTP_X_FORWARDED_FOR": "alice"}

    assert described({"http.route": "/"}, **meta) == {"http.route": "/"}


def test_what_was_sent_in_place_of_a_method_is_not_told() -> None:
    attributes = {"http.request.method_original": "ALICE"}

    assert described(attributes) == {"http.request.method_original": "REDACTED"}
