"""Users of the site, each with the two ways of saying who one is."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from tests.support.sites import Site

CSRF_TOKEN: Final = "c" * 32


@dataclass(frozen=True, slots=True)
class Person:
    """A user; send `bearer` or `cookie` as the headers of a request."""

    name: str
    session: str
    token: str

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def cookie(self) -> dict[str, str]:
        return {"Cookie": f"sessionid={self.session}"}

    @property
    def cookie_with_csrf(self) -> dict[str, str]:
        """What a page of the site sends when it changes something."""
        cookies = f"sessionid={self.session}; csrftoken={CSRF_TOKEN}"
        return {"Cookie": cookies, "X-CSRFToken": CSRF_TOKEN}

    def ways(self) -> Mapping[str, Mapping[str, str]]:
        """Return the headers of each way."""
        return {"session": self.cookie, "token": self.bearer}


def made(site: Site, *people: str) -> dict[str, Person]:
    """Make users, written `name` or `name:is_staff,is_superuser`; return them by name."""
    quiet = site.with_settings(MONITORING_SETTINGS={"ENABLED": False})
    found = quiet.manage_json("people", *people)
    return {name: Person(name, **ways) for name, ways in found.items()}


def change(site: Site, name: str, **columns: bool) -> None:
    """Let somebody else change a user, meanwhile, in the site's SQLite file."""
    file = site.directory / "default.sqlite3"
    with closing(sqlite3.connect(file, timeout=20)) as connection, connection:
        for column, value in columns.items():
            connection.execute(
                f"UPDATE auth_user SET {column} = ? WHERE username = ?", (value, name)
            )
