from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import CommandError

from prs_otel.promql.grafana import dashboard
from tests.support.commands import manage_monitoring


def test_it_is_printed_as_grafana_imports_it() -> None:
    assert json.loads(manage_monitoring("export-dashboard").text) == dashboard()


def test_it_is_written_to_a_file(tmp_path: Path) -> None:
    path = tmp_path / "dashboard.json"

    text = manage_monitoring("export-dashboard", "--output-file", str(path)).text

    assert json.loads(path.read_text()) == dashboard()
    assert str(path) in text


def test_a_place_that_cannot_be_written_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="nowhere"):
        manage_monitoring(
            "export-dashboard", "--output-file", str(tmp_path / "nowhere" / "file")
        )
