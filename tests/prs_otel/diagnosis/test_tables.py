from __future__ import annotations

from typing import NoReturn

import pytest
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from prs_otel.diagnosis import tables
from tests.support.surroundings import surroundings

pytestmark = pytest.mark.django_db


def test_a_database_with_all_tables_is_well() -> None:
    found = list(tables.examine(surroundings()))

    assert [each.level for each in found] == ["ok", "ok"]
    assert [each.message for each in found] == [
        "The tables of prs_otel are in the database 'default'.",
        "The tables of alerting are in the database 'default'.",
    ]


def test_tables_that_are_missing_are_to_be_made() -> None:
    applied = MigrationRecorder(connection).migration_qs.filter(app="prs_otel")
    count = applied.count()
    applied.delete()

    missing, _ = tables.examine(surroundings())

    assert missing.level == "warning"
    assert f"migrations missing: {count}" in missing.message
    assert missing.remedy == "python manage.py migrate prs_otel --database=default"


def test_a_database_that_does_not_answer_is_critical_and_quotes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise OperationalError("password of alice refused")

    monkeypatch.setattr(MigrationExecutor, "__init__", refuse)

    found = list(tables.examine(surroundings()))

    assert {each.level for each in found} == {"critical"}
    assert "does not answer: OperationalError" in found[0].message
    assert "alice" not in found[0].message
