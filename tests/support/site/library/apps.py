"""Give SQLite PostgreSQL's `pg_sleep`, so one slow query serves for both."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.db.backends.signals import connection_created

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


class LibraryConfig(AppConfig):
    """The application `library`."""

    name = "library"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the function on every new connection."""
        connection_created.connect(add_pg_sleep)


def add_pg_sleep(connection: BaseDatabaseWrapper, **_: object) -> None:
    """Define `pg_sleep(seconds)` where the database has none."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("pg_sleep", 1, time.sleep)
