from __future__ import annotations

import pytest

from alerting.channels.address import Address, without_addresses


def test_an_address_shows_where_it_leads_and_nothing_else() -> None:
    address = Address.parse("https://me:pass@example.org:8443/hook/key?token=t#part")

    assert (str(address), address.origin) == ("https://example.org:8443",) * 2
    assert repr(address) == "Address(origin='https://example.org:8443')"
    assert address.url == "https://example.org:8443/hook/key?token=t"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://me:p%40ss@example.org", "Basic bWU6cEBzcw=="),
        ("http://me@example.org", "Basic bWU6"),
        ("http://example.org", ""),
    ],
)
def test_user_and_password_become_a_header(url: str, expected: str) -> None:
    address = Address.parse(url)

    assert address.authorization == expected
    assert address.url == "http://example.org/"


def test_a_path_goes_below_the_one_there_is() -> None:
    assert Address.parse("http://[::1]:80/am/?a=b").under("/x").url == (
        "http://[::1]:80/am/x?a=b"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.org",
        "ftp://example.org",
        "file:///etc/passwd",
        "http://",
        "http://example.org:port/",
        "http://[::1/",
        "http://example.org/a b",
        "http://example.org/a\r\nX: y",
        "http://exämple.org/",
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"no .*address") as caught:
        Address.parse(text)

    assert not text or text not in str(caught.value)


def test_addresses_in_a_text_are_cut_to_their_scheme() -> None:
    text = "cannot have 'slack://a/b/c': see https://me:pass@example.org/x."

    assert without_addresses(text) == "cannot have 'slack://…': see https://…"
