from __future__ import annotations

import pytest

from prs_otel.instrumentation.sql_summary import SUMMARY_LIMIT, summarise


@pytest.mark.parametrize(
    ("text", "operation", "collection", "summary"),
    [
        (
            "SELECT * FROM wuser_table WHERE a = ?",
            "SELECT",
            "wuser_table",
            "SELECT wuser_table",
        ),
        ('SELECT "a"."b" FROM "a"', "SELECT", "a", "SELECT a"),
        ("SELECT `a`.`b` FROM `d`.`a`", "SELECT", "d.a", "SELECT d.a"),
        ("SELECT [a].[b] FROM [dbo].[a]", "SELECT", "dbo.a", "SELECT dbo.a"),
        ('SELECT * FROM "my table"', "SELECT", '"my table"', 'SELECT "my table"'),
        ("SELECT * FROM a, b", "SELECT", "a", "SELECT a b"),
        ("SELECT * FROM a x, b AS y, LATERAL c", "SELECT", "a", "SELECT a b c"),
        (
            "SELECT * FROM a INNER JOIN b ON x LEFT JOIN c ON y",
            "SELECT",
            "a",
            "SELECT a b c",
        ),
        ("SELECT * FROM a CROSS JOIN LATERAL f(b)", "SELECT", "a", "SELECT a f"),
        (
            "SELECT a FROM (SELECT b FROM c JOIN d ON e)",
            "SELECT",
            "c",
            "SELECT SELECT c d",
        ),
        ("SELECT (SELECT a FROM b) FROM c", "SELECT", "c", "SELECT SELECT b c"),
        ("SELECT a FROM b UNION SELECT c FROM d", "SELECT", "b", "SELECT b SELECT d"),
        (
            "(SELECT a FROM b) UNION (SELECT c FROM d)",
            "SELECT",
            "b",
            "SELECT b SELECT d",
        ),
        (
            "SELECT a FROM b WHERE c IN (SELECT d FROM e)",
            "SELECT",
            "b",
            "SELECT b SELECT e",
        ),
        ('SELECT EXTRACT(YEAR FROM "a"."b") FROM "a"', "SELECT", "a", "SELECT a"),
        ("SELECT a FROM b WHERE c IS DISTINCT FROM d", "SELECT", "b", "SELECT b"),
        ("SELECT a FROM b FOR UPDATE OF b", "SELECT", "b", "SELECT b"),
        ("SELECT ?", "SELECT", "", "SELECT"),
        ("select a from b join c on d", "SELECT", "b", "SELECT b c"),
        ("SELECT a from B", "SELECT", "B", "SELECT B"),
        ('SELECT "from" FROM "update"', "SELECT", "update", "SELECT update"),
        ("INSERT INTO a (b) VALUES (?)", "INSERT", "a", "INSERT a"),
        ("INSERT OR IGNORE INTO a (b) VALUES (?)", "INSERT", "a", "INSERT a"),
        ("INSERT INTO a (b) SELECT c FROM d", "INSERT", "a", "INSERT a SELECT d"),
        (
            "INSERT INTO a (b) VALUES (?) ON CONFLICT DO UPDATE SET b = ?",
            "INSERT",
            "a",
            "INSERT a",
        ),
        ("REPLACE INTO a VALUES (?)", "REPLACE", "a", "REPLACE a"),
        ("UPDATE a SET b = ?", "UPDATE", "a", "UPDATE a"),
        ("UPDATE ONLY a SET b = (SELECT c FROM d)", "UPDATE", "a", "UPDATE a SELECT d"),
        ("DELETE FROM a WHERE b IN (?)", "DELETE", "a", "DELETE a"),
        (
            "MERGE INTO a USING b ON c WHEN MATCHED THEN UPDATE SET d = ?",
            "MERGE",
            "a",
            "MERGE a",
        ),
        (
            "WITH x AS (SELECT a FROM b) SELECT c FROM x",
            "SELECT",
            "b",
            "SELECT b SELECT",
        ),
        (
            "WITH x (y) AS (SELECT a FROM b) SELECT c FROM d, x",
            "SELECT",
            "d",
            "SELECT b SELECT d",
        ),
        (
            "WITH x AS (DELETE FROM a) INSERT INTO b SELECT c FROM x",
            "INSERT",
            "b",
            "DELETE a INSERT b SELECT",
        ),
        ("WITH x AS (VALUES (?))", "SELECT", "", ""),
        ("EXPLAIN SELECT a FROM b", "EXPLAIN", "b", "EXPLAIN SELECT b"),
        ("CREATE TABLE a (b integer)", "CREATE", "a", "CREATE TABLE a"),
        ("CREATE TABLE IF NOT EXISTS a (b integer)", "CREATE", "a", "CREATE TABLE a"),
        ("CREATE UNIQUE INDEX CONCURRENTLY a ON b (c)", "CREATE", "", "CREATE INDEX a"),
        ("ALTER TABLE a ADD COLUMN b integer", "ALTER", "a", "ALTER TABLE a"),
        ("DROP TABLE a CASCADE", "DROP", "a", "DROP TABLE a"),
        ("TRUNCATE a, b", "TRUNCATE", "a", "TRUNCATE a b"),
        ("TRUNCATE TABLE a", "TRUNCATE", "a", "TRUNCATE a"),
        ("PRAGMA table_info(a)", "PRAGMA", "", "PRAGMA table_info"),
        ("CALL a.b(?)", "CALL", "", "CALL a.b"),
        ("VACUUM", "VACUUM", "", "VACUUM"),
        ("BEGIN", "BEGIN", "", "BEGIN"),
        ("COMMIT", "COMMIT", "", "COMMIT"),
        ("SAVEPOINT ?", "SAVEPOINT", "", "SAVEPOINT"),
        ("SET search_path = ?", "SET", "", "SET"),
        ("", "", "", ""),
        ("?", "", "", ""),
    ],
)
def test_a_summary_names_operations_and_targets_in_their_order(
    text: str, operation: str, collection: str, summary: str
) -> None:
    assert summarise(text)[:3] == (operation, collection, summary)


def test_a_long_summary_ends_with_a_whole_name() -> None:
    tables = [f"a_rather_long_name_{number}" for number in range(50)]

    summary = summarise(f"SELECT * FROM {', '.join(tables)}").summary

    assert len(summary) <= SUMMARY_LIMIT
    assert summary.split(" ") == ["SELECT", *tables[: summary.count(" ")]]
    assert summary.count(" ") > 10


def test_capitals_that_are_longer_than_their_letters_cost_the_targets_only() -> None:
    assert summarise("select straße from b")[:3] == ("SELECT", "", "SELECT")


@pytest.mark.parametrize(
    ("text", "procedure"),
    [
        ("CALL refresh(?)", "refresh"),
        ("call `reports`.`refresh`(?)", "reports.refresh"),
        ("EXEC [dbo].[refresh] ?", "dbo.refresh"),
        ("EXECUTE a_prepared_statement (?)", ""),
        ("CALL", ""),
        ("SELECT refresh(?)", ""),
        ("DROP PROCEDURE refresh", ""),
    ],
)
def test_what_is_called_is_a_stored_procedure_and_no_table(
    text: str, procedure: str
) -> None:
    found = summarise(text)
    assert (found.collection, found.procedure) == ("", procedure)
