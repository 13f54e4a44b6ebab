from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import CommandError

from prs_otel.monitoring import registry
from tests.support.commands import manage_monitoring
from tests.support.measured import Measured

DOCUMENT = {
    "files": {
        "prometheus": "# a: exact\ngroups: []\n",
        "mimir": "namespace: m\n",
        "alertmanager": "inhibit_rules: []\n",
    },
    "rules": [
        {"name": "a", "fidelity": "exact", "reasons": []},
        {"name": "b", "fidelity": "approximate", "reasons": ["it rounds"]},
    ],
}


@pytest.fixture(autouse=True)
def _registered(measured: Measured) -> None:
    registry.register_command_document(registry.EXPORTED_RULES, lambda _: DOCUMENT)


def test_the_file_is_written_as_it_is() -> None:
    assert manage_monitoring("export-rules").text == "# a: exact\ngroups: []\n"


@pytest.mark.parametrize("target", ["mimir", "alertmanager"])
def test_the_target_says_who_reads_it(target: str) -> None:
    text = manage_monitoring("export-rules", "--target", target).text

    assert text.strip() == DOCUMENT["files"][target].strip()  # type: ignore[index]


def test_a_file_is_replaced_and_each_rule_reported(tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"

    text = manage_monitoring("export-rules", "--output-file", str(file)).text

    assert file.read_text() == "# a: exact\ngroups: []\n"
    assert text.splitlines() == [
        f"2 rules written to {file}",
        "a: exact",
        "b: approximate",
        "  - it rounds",
    ]


def test_json_has_the_report() -> None:
    arguments = ("export-rules", "--format", "json", "--source", "scrape")

    document = json.loads(manage_monitoring(*arguments).text)

    assert document["rules"] == DOCUMENT["rules"]
    assert document["file"] == "# a: exact\ngroups: []\n"


def test_a_file_that_cannot_be_written_is_an_error_in_words(tmp_path: Path) -> None:
    file = tmp_path / "none" / "rules.yml"

    with pytest.raises(CommandError, match="create the directory first") as caught:
        manage_monitoring("export-rules", "--output-file", str(file))

    assert caught.value.returncode == 2


def test_without_alerting_there_are_no_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_builders", {})

    with pytest.raises(CommandError, match="Alerting is not installed"):
        manage_monitoring("export-rules")
