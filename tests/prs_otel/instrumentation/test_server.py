from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from prs_otel.instrumentation.server import Server, server_of


def mysql(**data: str | None) -> Any:
    known = {"mysql_server_data": data} if data else {}
    return SimpleNamespace(vendor="mysql", **known)


def postgresql(driver: object) -> Any:
    return SimpleNamespace(vendor="postgresql", connection=driver)


def driver(reported: dict[str, str]) -> Any:
    return SimpleNamespace(info=SimpleNamespace(parameter_status=reported.get))


class Dead:
    """A connection of a driver that has been lost."""

    @property
    def info(self) -> object:
        message = "the connection is closed"
        raise RuntimeError(message)


@pytest.mark.parametrize(
    ("version", "system"),
    [("10.11.19-MariaDB-0+deb12u1", "mariadb"), ("8.4.2-log", "mysql")],
)
def test_mariadb_and_mysql_are_told_apart_by_what_django_has_asked(
    version: str, system: str
) -> None:
    found = server_of(mysql(version=version, sql_mode="STRICT_TRANS_TABLES"))

    assert found == Server(system, "mysql")


def test_what_django_has_not_asked_yet_is_not_asked_by_us() -> None:
    assert server_of(mysql()) == Server("mysql", "mysql", is_certain=False)


@pytest.mark.parametrize("mode", ["ANSI_QUOTES", "STRICT,NO_BACKSLASH_ESCAPES"])
def test_modes_that_change_what_a_quote_means_leave_the_dialect_unknown(
    mode: str,
) -> None:
    assert server_of(mysql(version="8.4.2", sql_mode=mode)) == Server("mysql", "")
    assert server_of(mysql(version="8.4.2", sql_mode=None)).dialect == "mysql"


@pytest.mark.parametrize(
    ("reported", "dialect"), [("on", "postgresql"), ("off", ""), (None, "postgresql")]
)
def test_postgresql_says_unasked_what_a_backslash_means(
    reported: str | None, dialect: str
) -> None:
    known = {} if reported is None else {"standard_conforming_strings": reported}

    assert server_of(postgresql(driver(known))) == Server("postgresql", dialect)


@pytest.mark.parametrize("gone", [None, Dead()])
def test_a_connection_that_is_not_open_is_certain_of_less(gone: object) -> None:
    assert server_of(postgresql(gone)) == Server(
        "postgresql", "postgresql", is_certain=False
    )
