from __future__ import annotations

import csv
import json
import os
import stat
from io import StringIO
from pathlib import Path
from typing import Any, NoReturn

import pytest
from django.core.management import CommandError

from prs_otel.instrumentation.n_plus_one import Finding
from prs_otel.management.export import formats
from prs_otel.management.export.sections import RECORDS, STEPS, step_for
from prs_otel.monitoring.schemas import WindowDocument
from tests.support.commands import manage_monitoring
from tests.support.measured import Measured, Whose

DAY = 86_400.0


@pytest.fixture
def week(measured: Measured) -> Measured:
    """Return figures of two days, of which the older has one request and a failure."""
    measured.now -= DAY
    measured.restart()
    measured.request(0.5, whose=Whose("/old/", "8", "2"), status=500)
    measured.flush()
    measured.now += DAY
    measured.restart()
    for _ in range(3):
        measured.request(
            0.2,
            whose=Whose(organization_id="7", user_id="1"),
            queries=[0.1],
            findings=[Finding("a", 10, 1)],
        )
        measured.query(0.1, text="SELECT a")
    measured.gauge("system.cpu.utilization", 0.5)
    measured.flush()
    return measured


def exported(*arguments: str) -> Any:
    outcome = manage_monitoring("export-metrics", *arguments)
    assert outcome.exit_code == 0
    return outcome


def test_the_document_has_every_section_and_its_sums_agree(week: Measured) -> None:
    document = exported("--hours=168").json()

    assert list(document) == list(RECORDS)
    assert document["totals"]["window"]["seconds"] == 7 * DAY
    assert document["totals"]["requests"]["count"] == 4
    for section in ("trends", "endpoints", "organizations", "users"):
        counts = [
            row["requests"]["count"] if section == "trends" else row["count"]
            for row in document[section]
        ]
        assert sum(counts) == 4, section
    assert sum(row["count"] for row in document["fingerprints"]) == 3
    assert [row["alias"] for row in document["databases"]] == ["default"]
    assert [row["count"] for row in document["n_plus_one"]] == [3]
    assert document["fingerprints"][0]["query"] == "SELECT a"


def test_what_is_not_stored_is_not_made_up(measured: Measured) -> None:
    measured.request()
    measured.flush()

    document = exported("--hours=168").json()

    window = document["totals"]["window"]
    assert window["seconds"] == 7 * DAY
    assert window["covered_seconds"] < window["seconds"]
    assert len(document["trends"]) == 1


@pytest.mark.parametrize("step", STEPS)
def test_no_step_loses_or_repeats_a_request(step: int, week: Measured) -> None:
    points = exported("--hours=60", f"--step={step}").json()["trends"]

    assert sum(point["requests"]["count"] for point in points) == 4
    assert len({point["time"] for point in points}) == len(points)
    assert [point["time"] for point in points] == sorted(
        point["time"] for point in points
    )


def test_the_formats_say_the_same(week: Measured) -> None:
    document = exported("--hours=60").json()
    lines = [
        json.loads(line)
        for line in exported("--format=ndjson", "--hours=60").text.splitlines()
    ]
    rows = list(csv.DictReader(StringIO(exported("--format=csv", "--hours=60").text)))

    assert lines[0] == {"record": "totals", **document["totals"]}
    for name in list(RECORDS)[1:]:
        found = [line for line in lines if line["record"] == name]
        assert found == [{"record": name, **row} for row in document[name]]
        assert sum(row["record"] == name for row in rows) == len(document[name])
    assert len(rows) == len(lines)
    (failed,) = [row for row in rows if row["endpoint"] == "/old/"]
    assert failed["record"] == "endpoints"
    assert failed["status_classes_server_error"] == "1"
    assert float(failed["duration_max"]) == 0.5
    assert failed["query"] == ""
    assert rows[0]["requests_count"] == "4"


def test_a_tenant_cannot_smuggle_a_formula_into_a_spreadsheet(
    measured: Measured,
) -> None:
    measured.request(whose=Whose(organization_id='=HYPERLINK("//evil")'))
    measured.flush()

    rows = csv.DictReader(StringIO(exported("--format=csv").text))

    assert '\'=HYPERLINK("//evil")' in {row["organization_id"] for row in rows}


def test_a_file_is_for_its_owner_and_the_command_says_what_is_in_it(
    week: Measured, tmp_path: Path
) -> None:
    file = tmp_path / "metrics.json"

    outcome = exported("--hours=168", f"--output-file={file}")

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["totals"]["requests"]["count"] == 4
    assert outcome.text.startswith(f"{sum_of_records(file)} records (")
    assert f"written to {file}\n7.0 d asked for, of which " in outcome.text
    assert [each.name for each in tmp_path.iterdir()] == ["metrics.json"]


def test_a_list_is_json_in_a_cell_and_every_format_says_how_many_records(
    week: Measured, tmp_path: Path
) -> None:
    said = {}
    for name in ("csv", "ndjson"):
        outcome = exported(
            "--hours=60", f"--format={name}", f"--output-file={tmp_path / name}"
        )
        said[name] = int(outcome.text.split(" records")[0])
    rows = list(csv.DictReader(StringIO((tmp_path / "csv").read_text())))
    lines = (tmp_path / "ndjson").read_text().splitlines()

    assert said == dict.fromkeys(said, len(rows))
    assert len(lines) == len(rows)
    aliases = [row["aliases"] for row in rows if row["record"] == "fingerprints"]
    assert aliases == [json.dumps(["default"])] * len(aliases) != []


def sum_of_records(file: Path) -> int:
    document = json.loads(file.read_text())
    return sum(1 if name == "totals" else len(document[name]) for name in document)


def test_what_was_written_can_be_had_as_json_too(
    measured: Measured, tmp_path: Path
) -> None:
    file = tmp_path / "metrics.json"

    report = exported(f"--output-file={file}", "--format=json").json()

    assert report["size_bytes"] == file.stat().st_size
    assert report["records"] == 1
    WindowDocument.model_validate(report["window"])


def test_an_export_that_fails_leaves_the_former_file_alone(
    measured: Measured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_the_disk(*_: object) -> NoReturn:
        raise OSError(28, "No space left on device")

    file = tmp_path / "metrics.json"
    file.write_text("the former one")
    monkeypatch.setitem(formats.FORMATS, "json", fill_the_disk)

    with pytest.raises(CommandError, match="No space left on device") as caught:
        exported(f"--output-file={file}")

    assert caught.value.returncode == 2
    assert file.read_text() == "the former one"
    assert [each.name for each in tmp_path.iterdir()] == ["metrics.json"]


def test_a_link_stays_a_link(measured: Measured, tmp_path: Path) -> None:
    link, file = tmp_path / "latest.json", tmp_path / "metrics.json"
    file.write_text("")
    link.symlink_to(file)

    exported(f"--output-file={link}")

    assert link.is_symlink()
    assert json.loads(file.read_text())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing/metrics.json", "missing does not exist; create the directory first"),
        ("", "is a directory"),
        ("fifo", "is no regular file; write - for standard output"),
        ("file/metrics.json", "Not a directory"),
    ],
)
def test_a_file_that_cannot_be_written_is_an_error_in_words(
    name: str, reason: str, measured: Measured, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "file").write_text("")

    with pytest.raises(CommandError, match=reason) as caught:
        exported(f"--output-file={tmp_path / name}")

    assert caught.value.returncode == 2


@pytest.mark.parametrize("step", ["0", "7", "-60", "x", ""])
@pytest.mark.usefixtures("measured")
def test_a_step_that_stored_data_does_not_have_is_refused(step: str) -> None:
    with pytest.raises(CommandError, match="is not one of 10, 60, 300"):
        exported(f"--step={step}")


def test_the_usual_step_makes_no_more_points_than_a_chart_has() -> None:
    assert [step_for(hours * 3600) for hours in (1, 2, 24, 168, 8760)] == [
        10,
        60,
        300,
        3600,
        86_400,
    ]


def test_what_is_switched_off_has_empty_cells_and_no_rows(
    week: Measured, settings: Any
) -> None:
    settings.MONITORING_SETTINGS = {
        "TRACK_CACHE": False,
        "TRACK_ORGANIZATIONS": False,
        "TRACK_USERS": False,
    }

    document = exported("--hours=168").json()
    rows = list(csv.DictReader(StringIO(exported("--hours=168", "--format=csv").text)))

    assert document["totals"]["cache"] is None
    assert (document["organizations"], document["users"]) == ([], [])
    assert rows[0]["cache_hits"] == rows[0]["cache_duration_p95"] == ""
    assert rows[0]["requests_count"] == "4"


def test_tasks_are_exported_with_their_sum(week: Measured) -> None:
    for name in ("nightly", "nightly", "hourly"):
        week.task(2.0, name=name)
    week.flush()

    document = exported("--hours=168").json()

    counts = {row["task"]: row["count"] for row in document["tasks"]}
    assert counts == {"nightly": 2, "hourly": 1}
    assert document["totals"]["tasks"]["count"] == 3
    assert sum(row["tasks"]["count"] or 0 for row in document["trends"]) == 3
