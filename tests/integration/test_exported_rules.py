"""The exported rules, read and judged by Prometheus itself."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.programs import promtool
from tests.support.sites import Site

STEP: Final = 15
REQUESTS: Final = 'http_server_request_duration_seconds_count{http_route="/deals/"}'
ERRORS: Final = 'prs_http_server_request_errors_total{http_route="/deals/"}'
RULES: Final = [
    {
        "name": "deal errors",
        "metric": "http.server.request.error_rate",
        "by": ["http.route"],
        "window": "5m",
        "threshold": {"warning": 0.1, "critical": 0.4},
        "recovery": {"warning": 0.05, "critical": 0.3},
        "min_count": 10,
        "no_data": "ok",
    },
    {
        "name": "slow deals",
        "metric": "http.server.request.duration",
        "aggregation": "p95",
        "window": "5m",
        "threshold": 1.5,
        "annotations": {"summary": 'a "quoted" {{ text }}\nof two lines'},
    },
    {
        "name": "nobody comes",
        "metric": "http.server.request.count",
        "aggregation": "absent",
        "window": "5m",
        "for": "10m",
    },
    {
        "name": "cache is cold",
        "metric": "prs.cache.hit_rate",
        "by": ["prs.cache.alias"],
        "operator": "<",
        "threshold": 0.5,
        "where": {"prs.cache.alias": 'de"fault'},
    },
    {"name": "by statement", "metric": "db.client.operation.count",
     "by": ["prs.db.query.fingerprint"], "threshold": 5},
]  # fmt: skip


@pytest.fixture
def exported(site: Site, tmp_path: Path) -> Path:
    """Return the directory of a rule file as the command has written it."""
    site = site.with_settings(ALERTING_SETTINGS={"RULES": RULES})
    site.manage(
        "manage_monitoring",
        "export-rules",
        "--output-file",
        str(tmp_path / "rules.yml"),
    )
    return tmp_path


def judged(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [promtool(), *arguments],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def fires(name: str, at: int, *severities: str) -> dict[str, Any]:
    """Expect a rule to fire for one route, after so many seconds."""
    return {
        "eval_time": f"{at}s",
        "alertname": name,
        "exp_alerts": [
            {"exp_labels": {"http_route": "/deals/", "severity": each}}
            for each in severities
        ],
    }


def test_prometheus_takes_the_file(exported: Path) -> None:
    done = judged(exported, "check", "rules", "rules.yml")

    assert done.returncode == 0, done.stdout + done.stderr
    head = (exported / "rules.yml").read_text()
    assert "# by statement: not exportable" in head
    assert "# deal errors: approximate" in head


def test_a_rule_escalates_and_ends_there_as_it_does_here(exported: Path) -> None:
    # Per step of 15 s ten requests: in turn no failure, two, five, then one in sixteen.
    tests = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": f"{STEP}s",
        "tests": [
            {
                "interval": f"{STEP}s",
                "input_series": [
                    {"series": REQUESTS, "values": "0+16x240"},
                    {
                        "series": ERRORS,
                        "values": "0x40 0+4x40 160+8x40 480+2x40 560x80",
                    },
                ],
                "alert_rule_test": [
                    fires("deal errors", 590),
                    fires("deal errors", 1_190, "warning"),
                    fires("deal errors", 1_790, "warning", "critical"),
                    # An eighth: over the threshold of the warning, far below the critical.
                    fires("deal errors", 2_390, "warning"),
                    fires("deal errors", 3_000),
                ],
            }
        ],
    }
    (exported / "tests.yml").write_text(json.dumps(tests))

    done = judged(exported, "test", "rules", "tests.yml")

    assert done.returncode == 0, done.stdout + done.stderr


def test_alertmanager_gets_the_inhibition(site: Site) -> None:
    site = site.with_settings(ALERTING_SETTINGS={"RULES": RULES})

    done = site.manage("manage_monitoring", "export-rules", "--target", "alertmanager")

    assert done.stdout.startswith("inhibit_rules:\n")
    assert r'"alertname=\"deal errors\"", "severity=\"critical\""' in done.stdout
