from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.support.sites import REPOSITORY

DIRECTORY = REPOSITORY / "collector-config"
# What the first lines of compose.yaml say how to make.
MADE = {"rules.yml", "webhook-secret"}
FILES = sorted(DIRECTORY.rglob("*.y*ml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_configuration_is_yaml(path: Path) -> None:
    assert isinstance(yaml.safe_load(path.read_text()), dict)


def test_compose_mounts_what_is_there() -> None:
    document = yaml.safe_load((DIRECTORY / "compose.yaml").read_text())
    mounted = {
        volume.split(":")[0].removeprefix("./")
        for service in document["services"].values()
        for volume in service.get("volumes", ())
        if volume.startswith("./")
    }

    missing = {name for name in mounted if not (DIRECTORY / name).exists()}

    assert missing == MADE
    assert "prs-otel.json" in " ".join(mounted)


def test_compose_and_builder_have_the_same_collector() -> None:
    built = yaml.safe_load((DIRECTORY / "builder.yaml").read_text())["dist"]["version"]
    compose = (DIRECTORY / "compose.yaml").read_text()

    assert f"opentelemetry-collector-contrib:{built}" in compose


def test_the_collector_is_built_with_all_that_the_configurations_name() -> None:
    modules = (DIRECTORY / "builder.yaml").read_text()
    named: set[str] = set()
    for path in DIRECTORY.glob("*.yaml"):
        document = yaml.safe_load(path.read_text())
        if "service" in document:
            for section in ("receivers", "processors", "connectors", "exporters"):
                named |= {each.split("/")[0] for each in document.get(section, {})}

    assert len(named) > 8
    for name in named:
        assert re.search(rf"/{name.replace('_', '').replace('grpc', '')}\w* v", modules)


def test_the_readme_names_every_file() -> None:
    text = (DIRECTORY / "README.md").read_text()
    names = {path.name for path in DIRECTORY.iterdir()} - {"README.md", "grafana"}

    assert {name for name in names if f"`{name}`" not in text} == set()
