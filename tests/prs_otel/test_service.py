from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import ProxyTracerProvider
from opentelemetry.trace import TracerProvider as Provider

from prs_otel import service


def serve_by(monkeypatch: pytest.MonkeyPatch, provider: Provider) -> None:
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)


def test_the_version_is_what_the_tracer_provider_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resource = Resource({"service.version": "2025.3"})
    serve_by(monkeypatch, TracerProvider(resource=resource))

    assert service.version() == "2025.3"


def test_without_a_provider_it_is_what_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    serve_by(monkeypatch, ProxyTracerProvider())
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.version=7")

    assert service.version() == "7"


def test_nobody_says_it(monkeypatch: pytest.MonkeyPatch) -> None:
    serve_by(monkeypatch, TracerProvider(resource=Resource({})))

    assert service.version() is None


def test_a_version_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = Resource({"service.version": "x" * 10_000})
    serve_by(monkeypatch, TracerProvider(resource=resource))

    assert service.version() == "x" * 100
