from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from alerting.webhook.credentials import OPEN, Claim, Secrets, signature

NOW = 1_700_000_000.0
BODY = b'{"name": "a"}'
ONE = Secrets.of("first secret")
TWO = Secrets.of(["first secret", "second secret"])
NAMED = Secrets.of({"eu": "eu secret", "us": ["us secret", "new us secret"]})


def claim(secret: str, *, at: float = NOW, body: bytes = BODY) -> Claim:
    timestamp = str(int(at))
    proof = signature(secret, timestamp, body)
    return Claim(timestamp=timestamp, signature=f"v1={proof}")


def bearer(token: str, source: str = "") -> Claim:
    return Claim(authorization=f"Bearer {token}", source=source)


def test_the_signature_is_what_any_language_can_compute() -> None:
    expected = hmac.new(b"secret", b"1700000000." + BODY, hashlib.sha256).hexdigest()

    assert signature("secret", "1700000000", BODY) == expected


@pytest.mark.parametrize("secret", ["first secret", "second secret"])
def test_each_of_two_active_secrets_will_do(secret: str) -> None:
    assert TWO.signer(claim(secret), BODY, now=NOW) == ""
    assert TWO.bearer(bearer(secret)) == ""


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_only_the_body_that_was_signed_is_taken(body: bytes, other: bytes) -> None:
    found = ONE.signer(claim("first secret", body=body), other, now=NOW)

    assert (found == "") is (body == other)


@pytest.mark.parametrize(
    ("at", "is_taken"),
    [(-301, False), (-300, True), (0, True), (300, True), (301, False)],
)
def test_a_signature_is_good_for_five_minutes(at: float, is_taken: bool) -> None:
    found = ONE.signer(claim("first secret", at=NOW + at), BODY, now=NOW)

    assert (found == "") is is_taken


@pytest.mark.parametrize("timestamp", ["", "now", "-5", "1e9", "٣", "9" * 30])
def test_a_time_that_is_none_is_never_right(timestamp: str) -> None:
    given = replace(
        claim("first secret"),
        timestamp=timestamp,
        signature=signature("first secret", timestamp, BODY),
    )

    assert ONE.signer(given, BODY, now=NOW) is None


@pytest.mark.parametrize(
    "given",
    [
        Claim(),
        bearer("First secret"),
        bearer(""),
        Claim(authorization="Basic first secret"),
        Claim(authorization="first secret"),
        bearer("ünïcode"),
    ],
)
def test_no_other_token_is_taken(given: Claim) -> None:
    assert TWO.bearer(given) is None


@pytest.mark.parametrize("given", ["v1=", "", "v1=00", "é", "v2=00"])
def test_no_other_signature_is_taken(given: str) -> None:
    forged = replace(claim("first secret"), signature=given)

    assert ONE.signer(forged, BODY, now=NOW) is None


def test_hex_digits_may_be_large() -> None:
    good = claim("first secret")
    large = replace(good, signature="v1=" + good.given.upper())

    assert ONE.signer(large, BODY, now=NOW) == ""


def test_grafana_signs_with_a_colon() -> None:
    timestamp = str(int(NOW))
    proof = hmac.new(
        b"first secret", f"{timestamp}:".encode() + BODY, hashlib.sha256
    ).hexdigest()

    given = Claim(timestamp=timestamp, grafana_signature=proof)

    assert ONE.signer(given, BODY, now=NOW) == ""
    assert ONE.signer(replace(given, timestamp=""), BODY, now=NOW) is None


def test_the_secret_tells_the_source() -> None:
    assert NAMED.bearer(bearer("eu secret")) == "eu"
    assert NAMED.bearer(bearer("new us secret")) == "us"
    assert NAMED.signer(claim("us secret"), BODY, now=NOW) == "us"


def test_no_source_passes_for_another() -> None:
    assert NAMED.bearer(bearer("eu secret", source="eu")) == "eu"
    assert NAMED.bearer(bearer("eu secret", source="us")) is None
    assert NAMED.bearer(bearer("eu secret", source="nowhere")) is None


@pytest.mark.parametrize(
    "value",
    [
        b"bytes",
        1,
        [],
        ["a", "b", "c"],
        [1],
        {},
        {"eu": ""},
        {"": "a", "eu": "b"},
        {1: "a"},
        {"x" * 51: "a"},
        {"a\nb": "a"},
        {f"source {at}": "a" for at in range(101)},
    ],
)
def test_a_setting_that_says_nothing_sensible_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^(a |there|write)"):
        Secrets.of(value)


def test_no_secret_shows_in_what_is_printed() -> None:
    assert "secret" not in repr(NAMED).replace("Secret", "").replace("secrets", "")


def test_an_empty_secret_is_none() -> None:
    assert not Secrets.of("").are_set
    assert not OPEN.are_set
    assert Secrets.of(["", "a"]).are_set
    assert Secrets.of("").bearer(bearer("")) is None
    assert Secrets.of(SecretStr("a")).bearer(bearer("a")) == ""
