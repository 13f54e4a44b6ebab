"""Databases of several kinds, each under an alias that exists for a `with` block."""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.db import connections
from library.models import Author, Book

from tests.support.traces import close_connections_of_other_threads

# Threads that live on keep the connections they had under an alias.
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Database:
    """A database that tests query, and what its spans should call it."""

    system: str  # as the semantic conventions name it
    entry: Mapping[str, object]  # in Django's DATABASES
    alias: str

    @property
    def connection(self) -> Any:
        """Return this thread's connection."""
        return connections[self.alias]

    @property
    def authors(self) -> Any:
        return Author.objects.using(self.alias)

    @property
    def books(self) -> Any:
        return Book.objects.using(self.alias)

    @property
    def namespace(self) -> str:
        return str(self.entry["NAME"])

    def run(self, sql: str, params: Any = None) -> None:
        """Execute a statement; what it returns is thrown away."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, params)
            if cursor.description is not None:
                cursor.fetchall()

    def quoted(self, sql: str) -> str:
        """Return SQL with its double-quoted names quoted the way the vendor does."""
        return re.sub(r'"(\w+)"', lambda name: self._quote(name[1]), sql)

    def _quote(self, name: str) -> str:
        return str(self.connection.ops.quote_name(name))


@contextmanager
def registered(system: str, entry: Mapping[str, object]) -> Iterator[Database]:
    """Let Django know a database under an alias of its own; leave no connection behind."""
    if entry["ENGINE"] == "django.db.backends.mysql":
        _load_mysql_driver()
    alias = f"{system}_{next(_numbers)}"
    known = connections.configure_settings({"default": {}, alias: dict(entry)})
    connections.settings[alias] = known[alias]
    found = Database(system, entry, alias)
    try:
        yield found
    finally:
        close_connections_of_other_threads()
        found.connection.close()
        if hasattr(found.connection, "close_pool"):
            found.connection.close_pool()
        del connections[alias]
        del connections.settings[alias]


@contextmanager
def library_tables(database: Database) -> Iterator[None]:
    """Make the tables of the library in the database, and drop them at the end."""
    models: tuple[Any, ...] = (Author, Book)
    with database.connection.schema_editor() as editor:
        for model in models:
            editor.create_model(model)
    yield
    with database.connection.schema_editor() as editor:
        for model in reversed(models):
            editor.delete_model(model)


def _load_mysql_driver() -> None:
    """Let PyMySQL stand in where mysqlclient is missing, which needs a C compiler."""
    if "MySQLdb" not in sys.modules and find_spec("MySQLdb") is None:
        import_module("tests.support.drivers.MySQLdb")
