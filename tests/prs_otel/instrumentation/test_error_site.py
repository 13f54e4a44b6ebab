from __future__ import annotations

import json

import pytest

from prs_otel.instrumentation import call_site


def parse(text: str) -> object:
    return json.loads(text)


def test_an_error_is_located_at_the_innermost_line_of_the_project() -> None:
    with pytest.raises(ValueError, match="Expecting") as raised:
        parse("{")

    found = call_site.of_error(raised.value)
    assert found is not None
    assert found.file.endswith("test_error_site.py")
    assert found.function == "parse"


def test_an_error_that_was_never_raised_has_no_place() -> None:
    assert call_site.of_error(ValueError("never")) is None
