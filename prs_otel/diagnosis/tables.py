"""Whether our tables are in the database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from django.apps import apps
from django.db import Error, connections, router
from django.db.migrations.executor import MigrationExecutor
from opentelemetry.instrumentation.utils import suppress_instrumentation

from prs_otel.diagnosis.finding import Finding

if TYPE_CHECKING:
    from django.apps import AppConfig

    from prs_otel.diagnosis.surroundings import Surroundings

APPLICATIONS: Final = ("prs_otel", "alerting")


def examine(around: Surroundings) -> Iterator[Finding]:
    """Ask each database that keeps tables of ours which migrations it has had."""
    configs = [each for each in apps.get_app_configs() if each.name in APPLICATIONS]
    for config in configs:
        for alias in sorted(_aliases(config)):
            with suppress_instrumentation():
                yield _finding(config, alias)


def _aliases(config: AppConfig) -> set[str]:
    return {router.db_for_write(model) for model in config.get_models()}


def _finding(config: AppConfig, alias: str) -> Finding:
    try:
        executor = MigrationExecutor(connections[alias])
        targets = executor.loader.graph.leaf_nodes(config.label)
        missing = [
            migration
            for migration, _ in executor.migration_plan(targets)
            if migration.app_label == config.label
        ]
    except Error as error:
        # Its message may quote a password.
        return Finding(
            "database",
            "critical",
            f"The database {alias!r} does not answer: {type(error).__name__}.",
            "See that it runs, and that DATABASES says where.",
        )
    if not missing:
        message = f"The tables of {config.name} are in the database {alias!r}."
        return Finding("database", "ok", message)
    return Finding(
        "database",
        "warning",
        f"Not all tables of {config.name} are in the database {alias!r}; migrations "
        f"missing: {len(missing)}.",
        f"python manage.py migrate {config.label} --database={alias}",
    )
