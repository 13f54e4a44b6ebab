"""Everything on which this process may begin to measure itself."""

from __future__ import annotations

from prs_otel.launcher import celery_workers, command_line, deferral, system_checks


def install() -> None:
    """Wait for requests, queries, tasks and commands. Idempotent; imports nothing of Django."""
    deferral.install()
    celery_workers.install()
    command_line.install()
    system_checks.install()
