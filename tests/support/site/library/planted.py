"""Views that put what a client sends wherever an application might put it."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from django.core.cache import cache
from django.db import Error, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from library.models import Author
from prs_otel import (
    monitor_api_performance,
    monitor_query_performance,
    performance_monitor,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

REFUSED: Final = "SELECT CAST('{}' AS integer)"
"""PostgreSQL quotes the value in its message."""


@csrf_exempt
def everywhere(request: HttpRequest, word: str) -> HttpResponse:
    """Use each text of the JSON body at the place that its name says."""
    texts: Mapping[str, str] = json.loads(request.body)
    list(Author.objects.filter(name=texts["parameter"]))
    _run(f"SELECT '{texts['literal']}', {_digits(texts['number'])}, pg_sleep(0.01)")
    _run(f"SELECT 1 /* {texts['comment']} */ -- {texts['comment']}")
    _run("SELECT %s, 'its %% as well'", texts["cursor"])
    _run(f"SELECT $tag${texts['dollar']}$tag$, E'\\'{texts['escaped']}'")
    for part in range(6):
        _run(f"SELECT name FROM library_author WHERE name = '{part}{texts['loop']}'")
    _write_many(texts["many"])
    for name in ("message", "bound"):
        _refused(texts, name)
    cache.set(texts["key"].replace(" ", "_"), texts["cached"])
    cache.get(texts["missed"].replace(" ", "_"))
    _record(texts)
    return HttpResponse("planted")


@csrf_exempt
def refused(request: HttpRequest, word: str) -> HttpResponse:
    """Leave the database's exception to whoever handles it."""
    _run(REFUSED.format(request.body.decode()))
    return HttpResponse("never")


@csrf_exempt
def refused_later(request: HttpRequest, word: str) -> HttpResponse:
    """Raise an exception that repeats what the database's has said."""
    try:
        _run(REFUSED.format(request.body.decode()))
    except Error as error:
        message = f"could not do it: {error}"
        raise RuntimeError(message) from error
    return HttpResponse("never")


def _run(statement: str, *parameters: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)


def _write_many(text: str) -> None:
    with connection.cursor() as cursor:
        rows = [(text, number) for number in range(3)]
        cursor.executemany("UPDATE library_author SET name = %s WHERE id = -%s", rows)


def _refused(texts: Mapping[str, str], name: str) -> None:
    # The database is to refuse it: what its message says of the values is what is tested.
    with suppress(Error), transaction.atomic():
        if name == "message":
            _run(REFUSED.format(texts[name]))
        else:
            _run("SELECT CAST(%s AS integer)", texts[name])


def _record(texts: Mapping[str, str]) -> None:
    performance_monitor.record_query_performance(
        query=f"SELECT * FROM remote WHERE mail = '{texts['recorded']}'",
        execution_time=0.5,
    )
    performance_monitor.record_api_performance(
        endpoint=f"/elsewhere/?mail={texts['endpoint']}#{texts['endpoint']}",
        method="GET",
        response_time=0.5,
        status_code=200,
    )
    for measured in (_asked, _called):
        # Each raises, with the argument in its message, through the decorator.
        with suppress(LookupError):
            measured(texts["argument"])


@monitor_query_performance
def _asked(text: str) -> None:
    raise LookupError(text)


@monitor_api_performance
def _called(text: str) -> None:
    raise LookupError(text)


def _digits(text: str) -> str:
    return next(word for word in text.split() if word.isdigit())
