"""Ask Prometheus itself, by `promtool test rules`, when its alerting rules fire."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.programs import promtool

STEP: Final = 15
"""Seconds between two samples, and between two evaluations."""

_FOUND: Final = re.compile(r"alertname: (\w+), time: (\w+)|Labels:\{(.*)\}")
_UNITS: Final = {"h": 3600, "m": 60, "s": 1}

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PromRule:
    """One alerting rule, in Prometheus's own words."""

    alert: str
    expr: str
    for_: str = "0s"
    keep_firing_for: str = "0s"

    def document(self) -> dict[str, str]:
        return {
            "alert": self.alert,
            "expr": self.expr,
            "for": self.for_,
            "keep_firing_for": self.keep_firing_for,
        }


def firing(
    rules: Iterable[PromRule],
    series: Mapping[str, Sequence[float | None]],
    *,
    directory: Path,
) -> set[tuple[str, Labels, int]]:
    """Return (alert, labels, seconds since the start) of everything that fires.

    `series` has one sample per `STEP`, `None` where there is none.
    """
    rules = list(rules)
    steps = max(len(values) for values in series.values())
    # Nothing is expected to fire: whatever promtool complains of did.
    asked = [
        {"eval_time": f"{at * STEP}s", "alertname": rule.alert}
        for rule in rules
        for at in range(steps)
    ]
    tests = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": f"{STEP}s",
        "tests": [
            {
                "interval": f"{STEP}s",
                "input_series": [
                    {"series": name, "values": " ".join(map(_value, values))}
                    for name, values in series.items()
                ],
                "alert_rule_test": asked,
            }
        ],
    }
    group = {"name": "all", "rules": [rule.document() for rule in rules]}
    # JSON is YAML.
    (directory / "rules.yml").write_text(json.dumps({"groups": [group]}))
    (directory / "tests.yml").write_text(json.dumps(tests))
    done = subprocess.run(
        [promtool(), "test", "rules", "tests.yml"],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "FAILED" in done.stdout + done.stderr, done.stdout + done.stderr
    return set(_found(done.stdout + done.stderr))


def _value(value: float | None) -> str:
    return "_" if value is None else repr(value)


def _found(output: str) -> Iterable[tuple[str, Labels, int]]:
    alert, at = "", 0
    for name, time, labels in _FOUND.findall(output):
        if name:
            alert, at = name, _seconds(time)
        else:
            pairs = re.findall(r'(\w+)="([^"]*)"', labels)
            yield alert, tuple(pair for pair in pairs if pair[0] != "alertname"), at


def _seconds(text: str) -> int:
    parts = re.findall(r"(\d+)([hms])", text)
    return sum(int(number) * _UNITS[unit] for number, unit in parts)
