"""What OpenTelemetry is told where its environment variables say nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

_SIGNALS: Final = ("TRACES", "METRICS", "LOGS")
_GRPC_PORT: Final = 4317

# A dead collector must not hold up the end of a process (seconds).
_TIMEOUT: Final = "4"

_MANAGE_SETTING: Final = re.compile(
    r"DJANGO_SETTINGS_MODULE['\"]\s*,\s*['\"]([A-Za-z_]\w*)"
)
# What layouts call the package of the settings, which names no project.
_ANONYMOUS: Final = frozenset(("config", "conf", "core", "project", "settings", "src"))


def apply(environment: MutableMapping[str, str]) -> None:
    """Add what is missing for the stable conventions, and for export where one is set up.

    Without an endpoint nothing is exported. Variables that are set stay as they are.
    """
    apply_conventions(environment)
    for signal in _SIGNALS:
        has_endpoint = bool(_endpoint(environment, signal))
        exporter = "otlp" if has_endpoint else "none"
        environment.setdefault(f"OTEL_{signal}_EXPORTER", exporter)
    environment.setdefault("OTEL_EXPORTER_OTLP_TIMEOUT", _TIMEOUT)
    if "OTEL_EXPORTER_OTLP_PROTOCOL" not in environment:
        _choose_protocols(environment)


def apply_conventions(environment: MutableMapping[str, str]) -> None:
    """Opt in to the stable conventions, which OpenTelemetry asks once per process."""
    environment.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")


def service_name(environment: Mapping[str, str]) -> str | None:
    """Return the project's name, `None` where the user named the service.

    The settings are not imported: their name is in the environment or in manage.py.
    """
    attributes = environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    if environment.get("OTEL_SERVICE_NAME") or "service.name=" in attributes:
        return None
    module = environment.get("DJANGO_SETTINGS_MODULE") or _module_in_manage()
    top = module.partition(".")[0]
    if top and top not in _ANONYMOUS:
        return top
    return Path.cwd().name or None


def _choose_protocols(environment: MutableMapping[str, str]) -> None:
    general = environment.get("OTEL_EXPORTER_OTLP_ENDPOINT", "")
    environment["OTEL_EXPORTER_OTLP_PROTOCOL"] = _protocol(general)
    for signal in _SIGNALS:
        endpoint = environment.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")
        if endpoint:
            variable = f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL"
            environment.setdefault(variable, _protocol(endpoint))


def _endpoint(environment: Mapping[str, str], signal: str) -> str:
    of_signal = environment.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT", "")
    return of_signal or environment.get("OTEL_EXPORTER_OTLP_ENDPOINT", "")


def _protocol(endpoint: str) -> str:
    """Return what an endpoint speaks: one port is gRPC's only."""
    location = endpoint if "://" in endpoint else f"//{endpoint}"
    try:
        port = urlsplit(location).port
    except ValueError:
        port = None
    # Pure Python: no native threads to survive a fork, nothing gevent cannot patch.
    return "grpc" if port == _GRPC_PORT else "http/protobuf"


def _module_in_manage() -> str:
    try:
        found = _MANAGE_SETTING.search(Path("manage.py").read_text(errors="replace"))
    except OSError:
        return ""
    return found[1] if found else ""
