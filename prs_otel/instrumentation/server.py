"""Say what a connection knows of its server by now, without asking the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

# Django's vendors by the names of the semantic conventions; others keep their own.
_SYSTEMS: Final = {"microsoft": "microsoft.sql_server", "oracle": "oracle.db"}

# With these a quote or a backslash means something else than it usually does.
_UNUSUAL_MODES: Final = {"ANSI_QUOTES", "NO_BACKSLASH_ESCAPES"}
_UNKNOWN: Final = ""


class Server(NamedTuple):
    """What kind of server it is.

    `dialect` is the vendor whose lexical rules hold, "" for rules that nobody knows.
    Before a connection is open not all of this `is_certain`.
    """

    system: str
    dialect: str
    is_certain: bool = True


def server_of(connection: BaseDatabaseWrapper) -> Server:
    """Return what is known of a connection's server. Queries nothing, never raises."""
    vendor = connection.vendor
    if vendor == "mysql":
        return _mysql(connection)
    if vendor == "postgresql":
        return _postgresql(connection)
    return Server(_SYSTEMS.get(vendor, vendor), vendor)


def _mysql(connection: BaseDatabaseWrapper) -> Server:
    # Django has asked when it opened its first connection; what is not here yet would
    # be asked for by reading it.
    found = vars(connection).get("mysql_server_data")
    if found is None:
        return Server("mysql", "mysql", is_certain=False)
    is_mariadb = "mariadb" in str(found["version"]).lower()
    modes = set((found["sql_mode"] or "").split(","))
    is_usual = _UNUSUAL_MODES.isdisjoint(modes)
    return Server(
        "mariadb" if is_mariadb else "mysql", "mysql" if is_usual else _UNKNOWN
    )


def _postgresql(connection: BaseDatabaseWrapper) -> Server:
    driver = connection.connection
    if driver is None:
        return Server("postgresql", "postgresql", is_certain=False)
    try:
        # Reported by the server unasked, and kept by the client.
        found = driver.info.parameter_status("standard_conforming_strings")
    except Exception:  # noqa: BLE001 - the driver's own, when the connection has died
        return Server("postgresql", "postgresql", is_certain=False)
    return Server("postgresql", _UNKNOWN if found == "off" else "postgresql")
