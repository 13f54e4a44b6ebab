from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import pytest

from prs_otel import native
from prs_otel.instrumentation import statements
from prs_otel.instrumentation.statements import Descriptions


def connection(alias: str = "default", vendor: str = "postgresql", **found: Any) -> Any:
    settings = {"NAME": "deals", "HOST": "db.example.org", "PORT": "5432"}
    open_or_not = {"connection": driver({"standard_conforming_strings": "on"}), **found}
    return SimpleNamespace(
        alias=alias, vendor=vendor, settings_dict=settings, **open_or_not
    )


def driver(reported: dict[str, str]) -> Any:
    """Return an open connection of a driver, with what the server has reported."""
    return SimpleNamespace(info=SimpleNamespace(parameter_status=reported.get))


@pytest.fixture
def remembered() -> dict[str, str]:
    return {}


@pytest.fixture
def descriptions(remembered: dict[str, str]) -> Descriptions:
    return Descriptions(remembered.__setitem__)


def test_a_text_is_described_by_the_conventions(
    descriptions: Descriptions, remembered: dict[str, str]
) -> None:
    found = descriptions.of("SELECT 1 FROM deals_deal", connection())

    assert found.name == "SELECT deals_deal"
    assert found.attributes == {
        "db.system.name": "postgresql",
        "db.namespace": "deals",
        "server.address": "db.example.org",
        "server.port": 5432,
        "prs.db.alias": "default",
        "db.operation.name": "SELECT",
        "db.collection.name": "deals_deal",
        "db.query.summary": "SELECT deals_deal",
        "db.query.text": "SELECT ? FROM deals_deal",
        "prs.db.query.fingerprint": found.fingerprint,
    }
    assert remembered == {found.fingerprint: "SELECT ? FROM deals_deal"}


@pytest.mark.parametrize(
    ("vendor", "sql", "is_of_backend"),
    [
        ("mysql", "\n  SELECT VERSION(),\n @@sql_mode,\n @@sql_auto_is_null", True),
        ("mysql", "SELECT VERSION()", False),
        ("postgresql", "SELECT VERSION(), @@sql_auto_is_null", False),
    ],
)
def test_what_a_backend_asks_to_know_the_server_is_nobody_s_query(
    descriptions: Descriptions,
    remembered: dict[str, str],
    vendor: str,
    sql: str,
    is_of_backend: bool,
) -> None:
    found = descriptions.of(sql, connection(vendor=vendor))

    assert found.is_of_backend is is_of_backend
    assert (remembered == {}) is is_of_backend


@pytest.mark.parametrize(
    ("vendor", "system"),
    [
        ("postgresql", "postgresql"),
        ("sqlite", "sqlite"),
        ("mysql", "mysql"),
        ("oracle", "oracle.db"),
        ("microsoft", "microsoft.sql_server"),
        ("cockroachdb", "cockroachdb"),
    ],
)
def test_each_database_has_the_name_of_the_conventions(
    descriptions: Descriptions, vendor: str, system: str
) -> None:
    found = descriptions.of("SELECT 1", connection(vendor=vendor))

    assert found.attributes["db.system.name"] == system


def test_what_is_not_known_before_a_connection_is_open_is_not_kept(
    descriptions: Descriptions,
) -> None:
    closed = connection(vendor="mysql", connection=None)
    first = descriptions.of("SELECT 1", closed)
    closed.mysql_server_data = {"version": "10.11-MariaDB", "sql_mode": ""}
    then = descriptions.of("SELECT 1", closed)

    assert first.attributes["db.system.name"] == "mysql"
    assert then.attributes["db.system.name"] == "mariadb"
    assert descriptions.of("SELECT 1", closed) is then


def test_where_quotes_mean_something_else_the_unclear_is_hidden(
    descriptions: Descriptions,
) -> None:
    data = {"version": "8.4.2", "sql_mode": "NO_BACKSLASH_ESCAPES"}
    other = connection(vendor="mysql", mysql_server_data=data)
    found = descriptions.of(r"SELECT 'a\', 'a secret' FROM deals", other)

    assert found.attributes["db.query.text"] == "SELECT ?"


def test_a_text_without_a_table_or_summary_still_has_a_name(
    descriptions: Descriptions,
) -> None:
    found = descriptions.of("", connection(vendor="sqlite"))

    assert found.name == "sqlite"
    assert "db.collection.name" not in found.attributes


def test_a_database_without_host_or_port_names_none(
    descriptions: Descriptions,
) -> None:
    local = connection()
    local.settings_dict = {"NAME": None, "HOST": "", "PORT": ""}
    attributes = descriptions.of("SELECT 1", local).attributes

    assert attributes["db.namespace"] == ""
    assert not {"server.address", "server.port"} & attributes.keys()


def test_a_text_is_described_once_for_each_alias(
    descriptions: Descriptions,
) -> None:
    first = descriptions.of("SELECT 1", connection())
    again = descriptions.of("SELECT 1", connection())
    other = descriptions.of("SELECT 1", connection("other"))

    assert again is first
    assert other.attributes["prs.db.alias"] == "other"
    assert other.fingerprint == first.fingerprint


def test_texts_beyond_the_limit_are_forgotten_oldest_first(
    descriptions: Descriptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "CACHE_LIMIT", 1_000)
    texts = [f"SELECT {number} FROM deals" for number in range(100)]
    described = [descriptions.of(text, connection()) for text in texts]

    assert len(descriptions._known) < 30
    assert descriptions._size <= 1_000
    assert descriptions.of(texts[-1], connection()) is described[-1]
    assert descriptions.of(texts[0], connection()) is not described[0]


def test_a_text_beyond_the_limit_is_described_but_not_kept(
    descriptions: Descriptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "CACHE_LIMIT", 10)
    found = descriptions.of("SELECT 1 FROM deals_deal", connection())

    assert found.name == "SELECT deals_deal"
    assert (descriptions._known, descriptions._size) == ({}, 0)


def test_what_another_thread_describes_meanwhile_costs_the_cache_nothing(
    descriptions: Descriptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    size, meanwhile = statements._size, iter(["SELECT 2 FROM deals"])

    def interrupted(*kept: Any) -> int:
        for text in meanwhile:
            assert descriptions.of(text, connection()).name == "SELECT deals"
        return size(*kept)

    monkeypatch.setattr(statements, "_size", interrupted)
    first = descriptions.of("SELECT 1 FROM deals", connection())

    assert descriptions.of("SELECT 1 FROM deals", connection()) is first
    assert descriptions._size == sum(
        size(key, kept) for key, kept in descriptions._known.items()
    )


def test_a_text_that_two_threads_describe_is_kept_once(
    remembered: dict[str, str],
) -> None:
    def remember(fingerprint: str, text: str) -> None:
        if not remembered:
            remembered[fingerprint] = text
            shared.of("SELECT 1", connection())

    shared = Descriptions(remember)
    shared.of("SELECT 1", connection())

    assert shared._size == len("SELECT 1") + len("SELECT ?")


def test_a_lock_that_was_held_at_a_fork_does_not_keep_the_child_from_caching(
    descriptions: Descriptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = native.allocate_lock()
    held.acquire()
    descriptions._locks[os.getpid()] = held
    assert descriptions.of("SELECT 1", connection()) is not descriptions.of(
        "SELECT 1", connection()
    )

    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert descriptions.of("SELECT 1", connection()) is descriptions.of(
        "SELECT 1", connection()
    )


class Composed:
    def as_string(self, context: object) -> str:
        return "SELECT 1 FROM composed"


class Odd:
    def __str__(self) -> str:
        return "SELECT 1 FROM odd"


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        (b"SELECT 1 FROM encoded", "SELECT encoded"),
        (Composed(), "SELECT composed"),
        (Odd(), "SELECT odd"),
    ],
)
def test_sql_that_is_no_string_is_read_as_one(
    descriptions: Descriptions, sql: object, name: str
) -> None:
    assert descriptions.of(sql, connection()).name == name
