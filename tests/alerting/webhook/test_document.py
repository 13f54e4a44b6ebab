from __future__ import annotations

import io
import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.webhook.document import BODY_LIMIT, DEPTH_LIMIT, parse, read
from alerting.webhook.errors import PayloadError, TooLargeError

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text('ab[{"\\', max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


class Endless:
    def __init__(self) -> None:
        self.given = 0

    def read(self, size: int, /) -> bytes:
        self.given += size
        return b" " * size


@given(DOCUMENTS)
def test_whatever_json_can_say_is_read_unless_it_is_too_deep(document: Any) -> None:
    assert parse(json.dumps(document).encode()) == document


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_by_one_error(body: bytes) -> None:
    with suppress(PayloadError):
        parse(body)


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 400, '[1, {"a": NaN}]']
)
def test_a_number_that_is_not_finite_is_refused(text: str) -> None:
    with pytest.raises(PayloadError, match="no finite number"):
        parse(text.encode())


def test_a_long_whole_number_becomes_one_that_databases_can_keep() -> None:
    assert parse(b"123456789012345678901") == 1.2345678901234568e20


def test_depth_is_counted_outside_of_strings_only() -> None:
    fits = "[" * DEPTH_LIMIT + "]" * DEPTH_LIMIT

    assert parse(fits.encode())
    assert parse(json.dumps("[" * 100 + '"{').encode())
    with pytest.raises(PayloadError, match="deeper than 16"):
        parse(f"[{fits}]".encode())


@pytest.mark.parametrize("piece", ['"', '\\"', "[", '{"a":', '"\\'])
def test_the_worst_body_is_refused_in_no_time(piece: str) -> None:
    body = ('"' + piece * BODY_LIMIT).encode()[:BODY_LIMIT]

    began = time.process_time()
    for start in (body, body[1:]):
        with pytest.raises(PayloadError):
            parse(start)

    assert time.process_time() - began < 2.0


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"{'a': 1}", b"\xff\xfe{\x00}\x00"]
)
def test_what_is_no_json_in_utf8_is_refused(body: bytes) -> None:
    with pytest.raises(PayloadError, match="no JSON in UTF-8"):
        parse(body)


def test_what_no_database_can_store_is_replaced() -> None:
    assert parse(b'{"a\\u0000": ["\\ud800"]}') == {"a\ufffd": ["\ufffd"]}


def test_a_body_is_read_up_to_the_limit() -> None:
    body = b"x" * BODY_LIMIT

    assert read(io.BytesIO(body), declared="") == body
    with pytest.raises(TooLargeError, match="256 KiB"):
        read(io.BytesIO(body + b"x"), declared="")


def test_a_body_that_never_ends_is_not_read_for_ever() -> None:
    stream = Endless()

    with pytest.raises(TooLargeError):
        read(stream, declared="10")

    assert stream.given == BODY_LIMIT + 1


@pytest.mark.parametrize("declared", [str(BODY_LIMIT + 1), "9" * 5000])
def test_of_a_body_that_is_announced_as_too_long_nothing_is_read(declared: str) -> None:
    stream = Endless()

    with pytest.raises(TooLargeError):
        read(stream, declared=declared)

    assert stream.given == 0
