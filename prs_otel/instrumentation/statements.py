"""Describe each SQL text once: span name and attributes, cached per database alias."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from prs_otel import native
from prs_otel.instrumentation.fingerprint import fingerprint
from prs_otel.instrumentation.server import Server, server_of
from prs_otel.semconv import (
    DB_COLLECTION_NAME,
    DB_NAMESPACE,
    DB_OPERATION_NAME,
    DB_QUERY_SUMMARY,
    DB_QUERY_TEXT,
    DB_STORED_PROCEDURE_NAME,
    DB_SYSTEM_NAME,
    PRS_DB_ALIAS,
    PRS_QUERY_FINGERPRINT,
    SERVER_ADDRESS,
    SERVER_PORT,
)

if TYPE_CHECKING:
    from _thread import LockType

    from django.db.backends.base.base import BaseDatabaseWrapper

# Characters of SQL and of its sanitised text, per process: a program that writes its
# literals into its SQL never repeats a text, and must not fill the memory with them.
CACHE_LIMIT: Final = 2_000_000


class Description(NamedTuple):
    """What the span of one SQL text says every time it is run.

    What a backend of Django's asks in order to know the server is no query of anybody's.
    """

    name: str
    attributes: Mapping[str, Any]
    fingerprint: str
    is_of_backend: bool = False


class _Database(NamedTuple):
    server: Server
    attributes: Mapping[str, Any]


class Descriptions:
    """Cache the descriptions of SQL texts, oldest out first.

    `remember(fingerprint, text)` is told every text that is described anew. Threads may
    describe texts at the same time: each gets its own, and none waits to keep it.
    """

    def __init__(self, remember: Callable[[str, str], object]) -> None:
        self.remember = remember
        self._size = 0
        self._known: dict[tuple[str, str], Description] = {}
        self._databases: dict[str, _Database] = {}
        # By process: what a thread of the parent held at a fork stays locked in the child.
        self._locks: dict[int, LockType] = {}

    def of(self, sql: object, connection: BaseDatabaseWrapper) -> Description:
        """Return the description of `sql` as run on `connection`."""
        text = sql if type(sql) is str else _as_text(sql, connection)
        key = (connection.alias, text)
        found = self._known.get(key)
        return self._describe(key, connection) if found is None else found

    def _describe(
        self, key: tuple[str, str], connection: BaseDatabaseWrapper
    ) -> Description:
        alias, sql = key
        database = self._database(alias, connection)
        statement = fingerprint(sql, database.server.dialect)
        attributes = dict(database.attributes)
        attributes[DB_OPERATION_NAME] = statement.operation
        if statement.collection:
            attributes[DB_COLLECTION_NAME] = statement.collection
        if statement.procedure:
            attributes[DB_STORED_PROCEDURE_NAME] = statement.procedure
        attributes[DB_QUERY_SUMMARY] = statement.summary
        attributes[DB_QUERY_TEXT] = statement.text
        attributes[PRS_QUERY_FINGERPRINT] = statement.fingerprint
        name = statement.summary or attributes[DB_SYSTEM_NAME]
        is_of_backend = _asks_what_the_server_is(sql, connection)
        described = Description(name, attributes, statement.fingerprint, is_of_backend)
        if not is_of_backend:
            self.remember(statement.fingerprint, statement.text)
        if database.server.is_certain:
            self._keep(key, described)
        return described

    def _keep(self, key: tuple[str, str], described: Description) -> None:
        lock = self._locks.setdefault(os.getpid(), native.allocate_lock())
        if lock.acquire(blocking=False):
            try:
                self._make_room(key, described)
            finally:
                lock.release()

    def _make_room(self, key: tuple[str, str], described: Description) -> None:
        if key in self._known:
            return  # another thread was quicker
        self._known[key] = described
        self._size += _size(key, described)
        while self._size > CACHE_LIMIT and self._known:
            oldest = next(iter(self._known))
            self._size -= _size(oldest, self._known.pop(oldest))

    def _database(self, alias: str, connection: BaseDatabaseWrapper) -> _Database:
        found = self._databases.get(alias)
        if found is None:
            server = server_of(connection)
            found = _Database(server, _database_attributes(connection, server))
            if server.is_certain:
                self._databases[alias] = found
        return found


def _database_attributes(
    connection: BaseDatabaseWrapper, server: Server
) -> dict[str, Any]:
    settings = connection.settings_dict
    attributes: dict[str, Any] = {
        DB_SYSTEM_NAME: server.system,
        DB_NAMESPACE: str(settings.get("NAME") or ""),
        PRS_DB_ALIAS: connection.alias,
    }
    if settings.get("HOST"):
        attributes[SERVER_ADDRESS] = str(settings["HOST"])
    if str(settings.get("PORT") or "").isdigit():
        attributes[SERVER_PORT] = int(settings["PORT"])
    return attributes


def of_function(name: str, connection: BaseDatabaseWrapper) -> Description:
    """Return the description of work that is known by a name and not by its SQL."""
    digest = blake2b(name.encode(errors="replace"), digest_size=8).hexdigest()
    attributes = _database_attributes(connection, server_of(connection))
    attributes[DB_QUERY_SUMMARY] = attributes[DB_QUERY_TEXT] = name
    attributes[PRS_QUERY_FINGERPRINT] = digest
    return Description(name, attributes, digest)


def _asks_what_the_server_is(sql: str, connection: BaseDatabaseWrapper) -> bool:
    # Asked by whatever first needs to know, which may be a request: before it has connected,
    # and then a second time, when our observer is there to see it.
    return (
        connection.vendor == "mysql"
        and sql.lstrip().startswith("SELECT VERSION(),")
        and "@@sql_auto_is_null" in sql
    )


def _size(key: tuple[str, str], described: Description) -> int:
    return len(key[1]) + len(described.attributes[DB_QUERY_TEXT])


def _as_text(sql: object, connection: BaseDatabaseWrapper) -> str:
    """Return SQL that is no string: bytes, or one that psycopg composes."""
    if isinstance(sql, bytes):
        return sql.decode(errors="replace")
    compose = getattr(sql, "as_string", None)
    return str(sql) if compose is None else str(compose(connection.connection))
