"""Whether a server runs, and whether its workers hand over what they count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from django.conf import settings

from prs_otel.diagnosis.finding import Finding

if TYPE_CHECKING:
    from prs_otel.diagnosis.processes import Server
    from prs_otel.diagnosis.surroundings import Surroundings

STARTING: Final = 20.0
"""Seconds after its start in which a server need not have reported yet."""


def examine(around: Surroundings) -> Iterator[Finding]:
    """Compare the servers of the process table with those that report."""
    for server in around.servers:
        yield from _server(server, around)
    if not around.servers and not around.workers:
        yield Finding(
            "server",
            "warning",
            "No server of this project can be seen on this host, and none reports.",
            f"Start it: opentelemetry-instrument gunicorn {_application()}",
        )


def _server(server: Server, around: Surroundings) -> Iterator[Finding]:
    silent = server.children - around.reporting
    if not server.pids & around.reporting:
        yield _silent(server, around)
    elif server.program == "gunicorn" and silent and _is_settled(server, around):
        pids = ", ".join(map(str, sorted(silent)))
        yield Finding(
            "server",
            "warning",
            f"Of {server.title}, these workers do not report: {pids}.",
            _preload_remedy() if server.preloads else _log_remedy(),
        )
    else:
        count = len(server.pids & around.reporting)
        yield Finding("server", "ok", f"{server.title} reports; processes: {count}.")


def _silent(server: Server, around: Surroundings) -> Finding:
    if server.user_id != around.user_id:
        return Finding(
            "server",
            "critical",
            f"{server.title} runs as {server.user}, not as the user of this command, so "
            "they do not share the default store.",
            f"Run this command as that user: sudo -u {server.user} python manage.py …",
        )
    if server.program == "uwsgi":
        return Finding(
            "server",
            "critical",
            f"{server.title} does not report: it starts no threads unless told to.",
            "Set enable-threads = true and call prs_otel.postfork() from its postfork "
            "hook, or set lazy-apps = true; docs/servers.md has the lines.",
        )
    if not _is_settled(server, around):
        message = f"{server.title} has just started and does not report yet."
        return Finding("server", "warning", message, "Look again in half a minute.")
    return Finding(
        "server",
        "critical",
        f"{server.title} runs as this user and does not report.",
        _preload_remedy() if server.preloads else _foreign_remedy(server),
    )


def _is_settled(server: Server, around: Surroundings) -> bool:
    return around.now - server.started_at > STARTING + around.patience


def _preload_remedy() -> str:
    return (
        "It loads the application before it forks (--preload). Call prs_otel.postfork() "
        "from post_fork in gunicorn.conf.py."
    )


def _log_remedy() -> str:
    return 'Look for "prs_otel" in its log; restart it.'


def _foreign_remedy(server: Server) -> str:
    module = server.environment.get("DJANGO_SETTINGS_MODULE")
    which = f" ({module})" if module else ""
    return (
        f'See that "prs_otel" is in INSTALLED_APPS of its settings{which}, that those have '
        "the same STORE or BASE_DIR as this command's, and restart it. "
        'Its log has what failed: look for "prs_otel".'
    )


def _application() -> str:
    dotted = str(getattr(settings, "WSGI_APPLICATION", None) or "project.wsgi.")
    return dotted.rpartition(".")[0]
