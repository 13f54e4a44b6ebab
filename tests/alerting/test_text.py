from __future__ import annotations

from alerting.text import clean, cleaned, described


def test_what_no_database_stores_is_replaced() -> None:
    assert clean("a\x00b\ud800c") == "a\ufffdb\ufffdc"


def test_every_text_of_a_document_is_cleaned() -> None:
    document = {"a\x00": ["\x00", 1, None, {"b": "\udfff"}]}

    assert cleaned(document) == {"a\ufffd": ["\ufffd", 1, None, {"b": "\ufffd"}]}


def test_an_error_is_described_in_one_short_line() -> None:
    assert described(ValueError("two\n  lines")) == "ValueError: two lines"
    assert len(described(ValueError("x" * 9999))) == 500
