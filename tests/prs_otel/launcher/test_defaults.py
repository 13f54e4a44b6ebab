from __future__ import annotations

from pathlib import Path

import pytest

from prs_otel.launcher import defaults

MANAGE = """
def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "{module}")
"""


def applied(**environment: str) -> dict[str, str]:
    defaults.apply(environment)
    return environment


def test_without_an_endpoint_nothing_is_exported() -> None:
    assert applied() == {
        "OTEL_SEMCONV_STABILITY_OPT_IN": "http,database",
        "OTEL_TRACES_EXPORTER": "none",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "4",
    }


def test_an_endpoint_receives_every_signal() -> None:
    found = applied(OTEL_EXPORTER_OTLP_ENDPOINT="http://collector:4318")

    exporters = [value for name, value in found.items() if name.endswith("_EXPORTER")]
    assert exporters == ["otlp"] * 3
    assert found["OTEL_EXPORTER_OTLP_PROTOCOL"] == "http/protobuf"


def test_an_endpoint_of_one_signal_receives_that_signal_only() -> None:
    found = applied(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="http://collector:4318")

    assert found["OTEL_TRACES_EXPORTER"] == "otlp"
    assert found["OTEL_METRICS_EXPORTER"] == found["OTEL_LOGS_EXPORTER"] == "none"


@pytest.mark.parametrize(
    ("endpoint", "protocol"),
    [
        ("http://collector:4317", "grpc"),
        ("collector:4317", "grpc"),
        ("[::1]:4317", "grpc"),
        ("[::1:4317", "http/protobuf"),
        ("https://collector:443/otlp", "http/protobuf"),
        ("collector", "http/protobuf"),
        ("http://collector:port", "http/protobuf"),
    ],
)
def test_the_port_of_grpc_is_spoken_to_in_grpc(endpoint: str, protocol: str) -> None:
    of_all = applied(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)
    of_one = applied(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=endpoint)

    assert of_all["OTEL_EXPORTER_OTLP_PROTOCOL"] == protocol
    assert of_one["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] == protocol


def test_each_signal_is_spoken_to_in_what_its_own_endpoint_speaks() -> None:
    found = applied(
        OTEL_EXPORTER_OTLP_ENDPOINT="http://collector:4317",
        OTEL_EXPORTER_OTLP_LOGS_ENDPOINT="http://logs:4318/v1/logs",
        OTEL_EXPORTER_OTLP_METRICS_ENDPOINT="http://metrics:4317",
        OTEL_EXPORTER_OTLP_METRICS_PROTOCOL="http/protobuf",
    )

    protocols = {
        name.removeprefix("OTEL_EXPORTER_OTLP_"): value
        for name, value in found.items()
        if name.endswith("PROTOCOL")
    }
    assert protocols == {
        "PROTOCOL": "grpc",
        "LOGS_PROTOCOL": "http/protobuf",
        "METRICS_PROTOCOL": "http/protobuf",
    }


def test_a_protocol_that_the_user_chose_for_all_signals_is_that_of_each() -> None:
    found = applied(
        OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="http://collector:4317",
    )

    assert "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL" not in found


def test_what_the_user_has_set_stays() -> None:
    chosen = {
        "OTEL_SEMCONV_STABILITY_OPT_IN": "http/dup",
        "OTEL_TRACES_EXPORTER": "console",
        "OTEL_METRICS_EXPORTER": "prometheus",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "30",
    }

    assert applied(**chosen) == chosen


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "checkout"
    directory.mkdir()
    monkeypatch.chdir(directory)
    return directory


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("shop.settings", "shop"),
        ("shop.settings.production", "shop"),
        ("config.settings", "checkout"),
        ("settings", "checkout"),
    ],
)
def test_the_service_is_named_after_the_project_however_it_is_started(
    project: Path, module: str, expected: str
) -> None:
    assert defaults.service_name({"DJANGO_SETTINGS_MODULE": module}) == expected

    (project / "manage.py").write_text(MANAGE.format(module=module))
    assert defaults.service_name({}) == expected


def test_without_a_project_the_service_is_named_after_its_directory(
    project: Path,
) -> None:
    assert defaults.service_name({}) == "checkout"
    (project / "manage.py").write_text("print()")
    assert defaults.service_name({}) == "checkout"


def test_in_the_root_directory_the_service_has_no_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir("/")
    assert defaults.service_name({}) is None


@pytest.mark.parametrize(
    "environment",
    [
        {"OTEL_SERVICE_NAME": "till"},
        {"OTEL_RESOURCE_ATTRIBUTES": "host.name=a,service.name=till"},
    ],
)
def test_a_service_that_the_user_named_is_not_named_again(
    environment: dict[str, str],
) -> None:
    assert defaults.service_name(environment) is None
