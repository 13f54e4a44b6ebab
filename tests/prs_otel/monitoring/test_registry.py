from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from prs_otel.monitoring import registry
from prs_otel.monitoring.registry import DocumentRequest, PackageStatus, StatusRequest

NAME = "of-a-test"


class Moment(BaseModel):
    at: datetime


@pytest.fixture(autouse=True)
def _nothing_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_builders", {})
    monkeypatch.setattr(registry, "_status_builders", {})


def test_a_document_nobody_offers_is_none() -> None:
    assert registry.requested_document(NAME, DocumentRequest(now=0.0)) is None


def test_a_builder_receives_what_was_asked() -> None:
    registry.register_command_document(
        NAME, lambda request: {"hours": request.hours, "severity": request.severity}
    )

    asked = DocumentRequest(now=0.0, hours=2.0, severity="critical")

    assert registry.requested_document(NAME, asked) == {
        "hours": 2.0,
        "severity": "critical",
    }


def test_a_model_becomes_what_json_can_hold() -> None:
    moment = Moment(at=datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC))
    registry.register_command_document(NAME, lambda _: moment)

    document = registry.requested_document(NAME, DocumentRequest(now=0.0))

    assert document == {"at": "2024-01-02T03:04:05Z"}


def test_the_latest_registration_counts() -> None:
    registry.register_command_document(NAME, lambda _: {"version": 1})
    registry.register_command_document(NAME, lambda _: {"version": 2})

    document = registry.requested_document(NAME, DocumentRequest(now=0.0))

    assert document == {"version": 2}


def test_a_package_that_is_not_installed_has_no_status() -> None:
    assert registry.requested_status(NAME, StatusRequest(0.0, None)) is None


def test_a_package_is_asked_how_it_is_doing() -> None:
    registry.register_status(
        NAME, lambda request: PackageStatus({"since": request.workers_since})
    )

    status = registry.requested_status(NAME, StatusRequest(2.0, 1.0))

    assert status == PackageStatus({"since": 1.0})


def test_what_a_builder_raises_reaches_whoever_asks() -> None:
    def fail(request: DocumentRequest) -> dict[str, object]:
        raise LookupError("no table")

    registry.register_command_document(NAME, fail)

    with pytest.raises(LookupError, match="no table"):
        registry.requested_document(NAME, DocumentRequest(now=0.0))
