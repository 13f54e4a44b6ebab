"""A process with ``ENABLED`` off: serves a few requests, then looks for traces of us as JSON."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path


def main(directory: Path) -> None:
    """Print how many wrappers, middlewares, threads and files there are."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.site.settings"
    import django

    from benchmarks.overhead import serving
    from benchmarks.overhead.plan import VIEWS

    django.setup()
    server = serving.build("wsgi")
    for view in VIEWS:
        server.serve(view.path, 3)
    found = {
        "query wrappers": _query_wrappers(),
        "middlewares": _middlewares(),
        "wrapped functions of Django": _wrapped_functions(),
        "signal receivers": _receivers(),
        "threads": threading.active_count() - 1,
        "files": sum(1 for path in directory.rglob("*") if path.is_file()),
    }
    sys.stdout.write(json.dumps(found) + "\n")


def _query_wrappers() -> int:
    from django.db import connection

    is_replaced = type(connection.execute_wrappers) is not list
    return len(connection.execute_wrappers) + is_replaced


def _middlewares() -> int:
    from django.conf import settings

    return sum("opentelemetry" in name for name in settings.MIDDLEWARE)


def _receivers() -> int:
    from django.core.signals import request_finished, request_started
    from django.db.backends.signals import connection_created

    return sum(
        "prs_otel" in str(key)
        for signal in (connection_created, request_started, request_finished)
        for (key, *_), *_ in signal.receivers
    )


def _wrapped_functions() -> int:
    from django.core.cache import cache
    from django.core.handlers.asgi import ASGIHandler
    from django.core.handlers.base import BaseHandler
    from django.core.handlers.wsgi import WSGIHandler

    functions = (
        BaseHandler.load_middleware,
        BaseHandler.get_response,
        WSGIHandler.__init__,
        ASGIHandler.__init__,
        cache.get,
        cache.get_many,
    )
    return sum(
        hasattr(function, "__wrapped__")
        or not function.__module__.startswith("django.")
        for function in functions
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
