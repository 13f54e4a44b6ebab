from __future__ import annotations

import json
import re
from typing import Any

from prs_otel.derived import catalog
from prs_otel.promql.grafana import dashboard
from prs_otel.promql.names import metric_name
from tests.support.sites import REPOSITORY


def expressions() -> list[str]:
    return [
        target["expr"] for panel in dashboard()["panels"] for target in panel["targets"]
    ]


def test_every_exported_metric_is_shown() -> None:
    found = [
        *((each.name, each.unit, "counter") for each in catalog.COUNTED),
        *((each.name, each.unit, "counter") for each in catalog.LOOKED),
        *((each.name, "s", "histogram") for each in catalog.TIMED),
        *((each.name, each.unit, "gauge") for each in catalog.READ),
    ]
    text = "\n".join(expressions())

    missing = {
        name
        for name, unit, kind in found
        if metric_name(name, unit=unit, kind=kind) not in text
    }

    assert missing == set()


def test_every_series_is_that_of_the_chosen_service() -> None:
    selectors = re.findall(r"rate\(\w+(\{.*?\})?\[", " ".join(expressions()))

    assert len(selectors) > 20
    assert set(selectors) == {'{job="$job"}'}


def test_no_panel_covers_another() -> None:
    def cells(panel: dict[str, Any]) -> set[tuple[int, int]]:
        place = panel["gridPos"]
        return {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }

    panels = dashboard()["panels"]
    taken = [cell for panel in panels for cell in cells(panel)]

    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_the_file_in_collector_config_is_what_the_command_writes() -> None:
    path = REPOSITORY / "collector-config/grafana/prs-otel.json"

    assert json.loads(path.read_text()) == dashboard()
