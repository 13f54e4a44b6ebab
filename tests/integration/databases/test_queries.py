"""What holds for the queries of every database."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final

import pytest
from asgiref.sync import sync_to_async
from django.db import IntegrityError, connections, transaction
from django.db.models import Avg, Count, Exists, F, OuterRef
from library.models import Author

from prs_otel.observation import CallSite, RequestContext, Thresholds
from tests.support.databases import Database
from tests.support.traces import Traces

SECRET: Final = "4111111111111111"

# Ways to write a value, in which `§` stands for it. What is behind a literal shows
# whether its end has been found.
LITERALS: Final = {
    "sqlite": ["'§'", "'it''s §'", r"'§\'", "X'§'", "'§' /* § */", "'§' -- §\n"],
    "postgresql": [
        *("'§'", "'it''s §'", r"'§\'", "'§' /* /* § */ § */", "'§' -- §\n"),
        *(r"E'it\'s §'", "U&'§'", "B'101'", "X'§'", "'§'\n'§'", "N'§'"),
        *("$$it's §$$", "$a$ $$§$$ $a$", "date '2020-01-01' || '§'", "§::numeric"),
    ],
    "mariadb": [
        *("'§'", "'it''s §'", r"'it\'s §'", '"§"', '"it\'s ""§"', "'§' '§'"),
        *("_utf8mb4'§'", "N'§'", "x'§'", "0x§", "b'101'", "§", "-§.5e3"),
        *("'§' # §\n", "'§' -- §\n", "'§' /* § */", "/*!99999 '§', */ '§'"),
    ],
}


def names(traces: Traces) -> list[str]:
    """Return the names of the spans, without what starts a transaction on SQLite."""
    found = [span.name for span in traces.exported]
    return [name for name in found if name != "BEGIN"]


def said(traces: Traces, number: int = -1) -> dict[str, Any]:
    return dict(traces.exported[number].attributes or {})


def everything_said(traces: Traces, remembered: dict[str, str]) -> str:
    return str([*(span.to_json() for span in traces.exported), remembered])


def test_a_query_says_what_the_conventions_ask_for(
    database: Database, traces: Traces, remembered: dict[str, str]
) -> None:
    database.authors.filter(name="Ada").first()

    text = database.quoted(
        'SELECT "library_author"."id", "library_author"."name" FROM "library_author" '
        'WHERE "library_author"."name" = ? ORDER BY "library_author"."id" ASC LIMIT ?'
    )
    ((fingerprint, kept),) = remembered.items()
    address = (
        {"server.address": database.entry["HOST"]} if "HOST" in database.entry else {}
    )
    assert kept == text
    assert names(traces) == ["SELECT library_author"]
    assert said(traces) == {
        "db.system.name": database.system,
        "db.namespace": database.namespace,
        "db.operation.name": "SELECT",
        "db.collection.name": "library_author",
        "db.query.summary": "SELECT library_author",
        "db.query.text": text,
        "prs.db.alias": database.alias,
        "prs.db.query.fingerprint": fingerprint,
        **address,
    }
    assert [found.labels for found in traces.observed] == [
        (database.alias, fingerprint)
    ]


def test_no_way_to_write_a_value_shows_it(
    database: Database, traces: Traces, remembered: dict[str, str]
) -> None:
    for literal in LITERALS[database.system]:
        database.run(f"SELECT {literal}, 1 FROM library_author".replace("§", SECRET))

    assert len(traces.exported) == len(LITERALS[database.system])
    assert SECRET not in everything_said(traces, remembered)
    for span in traces.exported:
        assert span.name in ("SELECT library_author", "SELECT"), span.to_json()


def test_queries_that_differ_in_their_values_have_one_fingerprint(
    database: Database, traces: Traces, remembered: dict[str, str]
) -> None:
    for number, name in enumerate(["Ada", "Grace O''Hara", ""]):
        database.run(
            f"SELECT id FROM library_author WHERE name = '{name}' AND id > {number}"
        )
    for count in (1, 2, 7):
        list(database.authors.filter(pk__in=range(count)))

    assert len(traces.exported) == 6
    assert len(remembered) == 2


def test_names_stay_however_they_are_quoted(database: Database, traces: Traces) -> None:
    database.run(database.quoted('SELECT "name" AS "my_name" FROM "library_author"'))

    assert said(traces)["db.query.text"] == database.quoted(
        'SELECT "name" AS "my_name" FROM "library_author"'
    )
    assert said(traces)["db.collection.name"] == "library_author"


def test_rows_are_created_in_one_query_whatever_their_number(
    database: Database, traces: Traces, remembered: dict[str, str]
) -> None:
    for count in (2, 5):
        database.authors.bulk_create(Author(name=SECRET) for _ in range(count))

    one, another = names(traces)
    assert one == another
    assert one.startswith("INSERT library_author")
    assert len([text for text in remembered.values() if "INSERT" in text]) == 1
    assert SECRET not in everything_said(traces, remembered)


def test_every_operation_names_its_table(database: Database, traces: Traces) -> None:
    ada = database.authors.create(name="Ada")
    database.books.create(title="Notes", author=ada, pages=20)
    database.books.update(pages=F("pages") + 1)
    database.books.aggregate(pages=Avg("pages"), books=Count("pk"))
    database.authors.filter(
        Exists(database.books.filter(author=OuterRef("pk")))
    ).exists()
    database.authors.order_by("name").count()
    database.books.filter(pages__lt=5).delete()

    assert names(traces) == [
        "INSERT library_author",
        "INSERT library_book",
        "UPDATE library_book",
        "SELECT library_book",
        "SELECT library_author SELECT library_book",
        "SELECT library_author",
        "DELETE library_book",
    ]
    assert said(traces, 2)["db.collection.name"] == "library_book"
    assert said(traces, 4)["db.collection.name"] == "library_author"


def test_a_common_table_is_no_table(database: Database, traces: Traces) -> None:
    database.run(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3), "
        "few AS (SELECT id FROM library_author LIMIT 3) "
        "SELECT b.title FROM library_book b JOIN few ON few.id = b.author_id"
    )

    assert said(traces)["db.operation.name"] == "SELECT"
    assert said(traces)["db.collection.name"] == "library_book"
    assert "few" not in names(traces)[0]


def test_a_batch_is_one_query_of_its_size(database: Database, traces: Traces) -> None:
    rows = [(f"Author {number}",) for number in range(4)]
    with database.connection.cursor() as cursor:
        cursor.executemany("INSERT INTO library_author (name) VALUES (%s)", rows)

    assert names(traces) == ["INSERT library_author"]
    assert said(traces)["db.operation.batch.size"] == 4
    assert database.authors.count() == 4


def test_rows_that_are_fetched_in_chunks_are_one_query(
    database: Database, traces: Traces
) -> None:
    database.authors.bulk_create(Author(name=f"Author {number}") for number in range(7))
    before = len(names(traces))
    found = [
        author.name for author in database.authors.order_by("pk").iterator(chunk_size=2)
    ]

    assert len(found) == 7
    assert names(traces)[before:] == ["SELECT library_author"]


def test_a_refused_row_is_an_error_without_its_message(
    database: Database,
    traces: Traces,
    remembered: dict[str, str],
    request_context: RequestContext,
) -> None:
    ada = database.authors.create(name=SECRET)
    with pytest.raises(IntegrityError), transaction.atomic(database.alias):
        database.authors.create(pk=ada.pk, name=SECRET)

    (span,) = [span for span in traces.exported if not span.status.is_ok]
    assert span.name == "INSERT library_author"
    assert dict(span.attributes or {})["error.type"] == "django.db.utils.IntegrityError"
    assert (span.status.description, span.events) == (None, ())
    assert [found.is_error for found in traces.observed].count(True) == 1
    assert SECRET not in everything_said(traces, remembered)


def test_savepoints_are_queries_and_transactions_are_the_connections(
    database: Database, traces: Traces
) -> None:
    with transaction.atomic(database.alias):
        for is_refused in (False, True):
            with transaction.atomic(database.alias):
                database.authors.count()
                transaction.set_rollback(is_refused, using=database.alias)

    # What starts and ends a transaction is told to the driver, but by a query to SQLite.
    start = ["BEGIN"] if database.system == "sqlite" else []
    count = "SELECT library_author"
    assert [span.name for span in traces.exported] == [
        *start,
        *("SAVEPOINT", count, "RELEASE"),
        *("SAVEPOINT", count, "ROLLBACK", "RELEASE"),
    ]
    assert len({found.labels for found in traces.observed}) == 4 + len(start)


def test_a_repeated_query_is_found_with_the_line_that_repeats_it(
    database: Database, traces: Traces, request_context: RequestContext
) -> None:
    ada = database.authors.create(name="Ada")
    for number in range(4):
        database.books.create(title=f"Book {number}", author=ada)
    request_context.repeats.clear()
    for book in database.books.all():
        assert book.author.name == "Ada"

    (repeat,) = [each for each in request_context.repeats.values() if each.runs == 4]
    assert_is_here(repeat.code, 'assert book.author.name == "Ada"')


def test_a_slow_query_names_the_line_that_ran_it(
    database: Database, traces: Traces, thresholds: list[Thresholds]
) -> None:
    at_once = Thresholds(slow_query=-1)
    thresholds[0] = traces.processor.thresholds = at_once
    database.run("SELECT count(*) FROM library_book")

    (found,) = traces.observed
    assert found.is_slow
    assert found.code is not None
    assert found.code.file.endswith("support/databases.py")
    assert said(traces)["code.file.path"] == found.code.file
    assert said(traces)["code.line.number"] == found.code.line
    assert said(traces)["code.function.name"] == "Database.run"


def test_asynchronous_queries_belong_to_their_request(
    database: Database, traces: Traces, request_context: RequestContext
) -> None:
    def connect() -> None:
        # Else MariaDB may be asked for its version by what is to be run first.
        database.connection.ensure_connection()

    async def view() -> list[str]:
        await sync_to_async(connect)()
        await database.authors.acreate(name="Ada")
        await database.authors.aget(name="Ada")
        return [author.name async for author in database.authors.all()]

    assert asyncio.run(view()) == ["Ada"]
    assert names(traces) == ["INSERT library_author", *["SELECT library_author"] * 2]
    assert request_context.query_count == 3
    assert {found.request for found in traces.observed} == {request_context}


def test_each_alias_is_told_apart(database: Database, traces: Traces) -> None:
    database.run("SELECT 1")
    with connections["other"].cursor() as cursor:
        cursor.execute("SELECT 2")

    here, there = said(traces, 0), said(traces, 1)
    assert (here["prs.db.alias"], there["prs.db.alias"]) == (database.alias, "other")
    assert here["db.system.name"] == database.system
    assert there["db.system.name"] == "sqlite"
    same = "prs.db.query.fingerprint"
    assert here[same] == there[same]


def test_what_opens_a_connection_is_no_query(
    database: Database, traces: Traces
) -> None:
    for _ in range(3):
        database.run("SELECT 1")
        database.connection.close()

    assert names(traces) == ["SELECT"] * 3


def assert_is_here(code: CallSite | None, line: str) -> None:
    assert code is not None
    assert Path(__file__).read_text().splitlines()[code.line - 1].strip() == line
