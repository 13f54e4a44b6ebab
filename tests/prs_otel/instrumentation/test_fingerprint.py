from __future__ import annotations

import re

import pytest

from prs_otel.instrumentation import fingerprint as module
from prs_otel.instrumentation.fingerprint import INPUT_LIMIT, TEXT_LIMIT, fingerprint

VENDORS = ("postgresql", "sqlite", "mysql", "oracle", "microsoft", "unknown")


def text(sql: str, vendor: str = "postgresql") -> str:
    return fingerprint(sql, vendor).text


# --- what Django sends -----------------------------------------------------------------


def test_a_query_of_the_orm_keeps_its_names_and_loses_its_values() -> None:
    sql = (
        'SELECT "deals_deal"."id", COUNT("deals_payment"."id") AS "payments" '
        'FROM "deals_deal" LEFT OUTER JOIN "deals_payment" '
        'ON ("deals_deal"."id" = "deals_payment"."deal_id") '
        'WHERE ("deals_deal"."status" IN (%s, %s, %s) AND "deals_deal"."amount" > -5) '
        'GROUP BY "deals_deal"."id" ORDER BY "payments" DESC LIMIT 21'
    )

    statement = fingerprint(sql, "postgresql")

    assert statement.text == (
        'SELECT "deals_deal"."id", COUNT("deals_payment"."id") AS "payments" '
        'FROM "deals_deal" LEFT OUTER JOIN "deals_payment" '
        'ON ("deals_deal"."id" = "deals_payment"."deal_id") '
        'WHERE ("deals_deal"."status" IN (?) AND "deals_deal"."amount" > ?) '
        'GROUP BY "deals_deal"."id" ORDER BY "payments" DESC LIMIT ?'
    )
    assert statement.operation == "SELECT"
    assert statement.collection == "deals_deal"
    assert statement.summary == "SELECT deals_deal deals_payment"


def test_a_fingerprint_is_sixteen_hexadecimal_digits_of_the_text() -> None:
    first = fingerprint("SELECT 1", "postgresql")
    second = fingerprint("SELECT 'one'", "sqlite")
    other = fingerprint("SELECT a", "postgresql")

    assert re.fullmatch("[0-9a-f]{16}", first.fingerprint)
    assert first.fingerprint == second.fingerprint
    assert first.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    ("sql", "vendor", "expected"),
    [
        ('SAVEPOINT "s139_x1"', "postgresql", "SAVEPOINT ?"),
        ('RELEASE SAVEPOINT "s139_x1"', "sqlite", "RELEASE SAVEPOINT ?"),
        ("ROLLBACK TO SAVEPOINT `s139_x1`", "mysql", "ROLLBACK TO SAVEPOINT ?"),
        ("ROLLBACK TO s139_x1", "postgresql", "ROLLBACK TO ?"),
        ("SAVE TRANSACTION [s139_x1]", "microsoft", "SAVE TRANSACTION ?"),
        ("ROLLBACK TRANSACTION [s139_x1]", "microsoft", "ROLLBACK TRANSACTION ?"),
        (
            'DECLARE "_django_curs_139_sync_1" NO SCROLL CURSOR FOR SELECT a FROM t',
            "postgresql",
            "DECLARE ? NO SCROLL CURSOR FOR SELECT a FROM t",
        ),
        ('CLOSE "_django_curs_139_sync_1"', "postgresql", "CLOSE ?"),
        (
            'CREATE USER x IDENTIFIED BY "pw" REPLACE pw2',
            "oracle",
            "CREATE USER x IDENTIFIED BY ?",
        ),
    ],
)
def test_names_made_up_for_one_use_are_hidden(
    sql: str, vendor: str, expected: str
) -> None:
    assert text(sql, vendor) == expected


# --- literals --------------------------------------------------------------------------


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(
    "literal",
    [
        "''",
        "'text'",
        "'it''s'",
        "'two\nlines -- no comment /* nor this'",
        "0",
        "12",
        "1.5",
        ".5",
        "1.",
        "1e10",
        "1.5E-3",
        "0xDEADbeef",
        "0b101",
        "1_000_000",
        "-5",
        "+5",
        "%s",
        "%(name)s",
        "?",
        "$1",
        ":name",
    ],
)
def test_a_literal_or_placeholder_becomes_a_question_mark(
    literal: str, vendor: str
) -> None:
    sql = f"SELECT a FROM t WHERE b = {literal} AND c1 < {literal}"

    assert text(sql, vendor) == "SELECT a FROM t WHERE b = ? AND c1 < ?"


@pytest.mark.parametrize(
    ("literal", "vendor"),
    [
        ("E'it\\'s'", "postgresql"),
        ("e'a\\\\'", "postgresql"),
        ("E'one' -- and\n 'two\\'s secret'", "postgresql"),
        ("'C:\\'", "postgresql"),
        ("$$it's$$", "postgresql"),
        ("$body$ $$ ' $other$ $body$", "postgresql"),
        ("U&'d\\0061t'", "postgresql"),
        ("B'101'", "postgresql"),
        ("x'1FF'", "postgresql"),
        ("n'it''s'", "postgresql"),
        ("'C:\\'", "sqlite"),
        ("x'00ff'", "sqlite"),
        ("?5", "sqlite"),
        ("@name", "sqlite"),
        ("$name", "sqlite"),
        ("$ns::name(it's)", "sqlite"),
        ("'it\\'s'", "mysql"),
        ("'a\\\\'", "mysql"),
        ('"it\'s"', "mysql"),
        ('"a\\"b""c"', "mysql"),
        ("x'ff'", "mysql"),
        ("b'1'", "mysql"),
        ("N'it\\'s'", "mysql"),
        ("'C:\\'", "oracle"),
        ("q'[it's]'", "oracle"),
        ("Q'{it's}'", "oracle"),
        ("nq'(it's)'", "oracle"),
        ("q'<it's>'", "oracle"),
        ("q'!it's!'", "oracle"),
        (":1", "oracle"),
        ("N'it''s'", "oracle"),
        ("'C:\\'", "microsoft"),
        ('"it\'s"', "microsoft"),
        ("N'it''s'", "microsoft"),
        ("$5.00", "microsoft"),
        ("£5", "microsoft"),
        ('"either"', "unknown"),
    ],
)
def test_every_database_has_literals_of_its_own(literal: str, vendor: str) -> None:
    assert text(f"SELECT {literal}, 'next'", vendor) == "SELECT ?, ?"


@pytest.mark.parametrize(
    ("name", "vendor"),
    [
        ("\"it's 5 o'clock\"", "postgresql"),
        ('"a""b"', "postgresql"),
        ('U&"d\\0061t"', "postgresql"),
        ("straße5", "postgresql"),
        ("a$5", "postgresql"),
        ('"a1"', "sqlite"),
        ("`it's`", "sqlite"),
        ("[it's]", "sqlite"),
        ('t."not a value"', "sqlite"),
        ("`it's`", "mysql"),
        ("`a``b`", "mysql"),
        ("@variable", "mysql"),
        ('"IT\'S"', "oracle"),
        ("a#1", "oracle"),
        ("[it's]", "microsoft"),
        ("[a]]b]", "microsoft"),
        ("@p1", "microsoft"),
        ("#temporary1", "microsoft"),
        ("`simple`", "unknown"),
        ("[simple]", "unknown"),
    ],
)
def test_a_name_is_kept_as_it_is_written(name: str, vendor: str) -> None:
    assert text(f"SELECT {name}, 'next'", vendor) == f"SELECT {name}, ?"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT a - 5, a-5, a * -5", "SELECT a - ?, a-?, a * ?"),
        (
            "SELECT CASE WHEN a THEN -1 ELSE -2 END",
            "SELECT CASE WHEN a THEN ? ELSE ? END",
        ),
        ("SELECT a LIMIT -1 OFFSET -2", "SELECT a LIMIT ? OFFSET ?"),
        ("SELECT a BETWEEN -1 AND -2", "SELECT a BETWEEN ? AND ?"),
    ],
)
def test_a_sign_goes_with_its_number_and_a_difference_stays(
    sql: str, expected: str
) -> None:
    assert text(sql) == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT a::numeric(10, 2)", "SELECT a::numeric(?)"),
        ("SELECT a[1:2]", "SELECT a[?:?]"),
        ("SELECT a ? 'key' AND a ?| ARRAY['b', 'c']", "SELECT a ? ? AND a ?| ARRAY[?]"),
        ("SELECT a->>'key', a #> '{b}'", "SELECT a->>?, a #> ?"),
        ("SELECT a %% 2, a % b", "SELECT a %% ?, a % b"),
        ("SELECT 'a' 'b', 'c'%s", "SELECT ? ?, ?"),
    ],
)
def test_operators_are_no_literals(sql: str, expected: str) -> None:
    assert text(sql) == expected


def test_sqlite_takes_a_quoted_word_for_a_value_where_a_value_must_be() -> None:
    sql = (
        'SELECT "t"."a" FROM "my table" AS "t" WHERE "t"."b" = "t"."c" AND d = "secret" '
        'AND e LIKE "secret" AND f IN ("secret", 5, "secret") AND g = "not@name.example"'
    )

    assert text(sql, "sqlite") == (
        'SELECT "t"."a" FROM "my table" AS "t" WHERE "t"."b" = "t"."c" AND d = ? '
        "AND e LIKE ? AND f IN (?) AND g = ?"
    )
    rows = 'INSERT INTO "t" ("a", "b") VALUES ("secret", 1), (2, "secret")'
    assert text(rows, "sqlite") == 'INSERT INTO "t" ("a", "b") VALUES (?)'


# --- comments and whitespace -----------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "vendor"),
    [
        ("SELECT a -- it's\n, b", "postgresql"),
        ("SELECT a -- it's\r, b", "postgresql"),
        ("SELECT a /* it's */, b", "postgresql"),
        ("SELECT a /* it's /* nested */ 'still */, b", "postgresql"),
        ("/* it's */ SELECT a\n\t, b /* it's */;", "sqlite"),
        ("SELECT a # it's\n, b", "mysql"),
        ("SELECT a /*!40001 SQL_NO_CACHE */, b", "mysql"),
        ("SELECT /*+ MAX_EXECUTION_TIME(1000) */ a , b", "mysql"),
        ("SELECT a /* it's */, b", "oracle"),
        ("SELECT a /* it's /* nested */ 'still */, b", "microsoft"),
        ("SELECT a -- its\n, b", "unknown"),
    ],
)
def test_comments_and_blanks_leave_no_trace(sql: str, vendor: str) -> None:
    assert text(sql, vendor).replace(" ,", ",") == "SELECT a, b"


def test_two_minuses_are_a_comment_in_mysql_only_before_a_blank() -> None:
    assert text("SELECT 5--'it''s\nsecret', a", "mysql") == "SELECT ?-?, a"
    assert text("SELECT 5 --'it''s\n, 'secret'", "sqlite") == "SELECT ? , ?"


def test_a_quote_in_a_comment_that_mysql_runs_hides_the_rest() -> None:
    assert text("SELECT 1 /*!40001 ' */ secret '*/ FROM t", "mysql") == "SELECT ?"


def test_comments_nested_too_deeply_hide_the_rest() -> None:
    assert text(f"SELECT a{'/*' * 20} secret {'*/' * 20}, b") == "SELECT a"


# --- what nobody can read with certainty -----------------------------------------------


@pytest.mark.parametrize(
    "tail",
    ["'secret", '"secret', "$$secret", "E'secret\\", "/* secret", "$tag$ secret $$"],
)
def test_what_is_not_terminated_vanishes(tail: str) -> None:
    assert text(f"SELECT a, {tail}") in {"SELECT a, ?", "SELECT a,"}


@pytest.mark.parametrize(
    "doubt",
    [
        "'C:\\', secret '",
        '"C:\\", secret "',
        "'''secret'''",
        "q'[it's secret]'",
        "$$ ' $$ secret ' ",
        "# it's secret",
        "--5 'secret",
        "/* /* */ secret */",
        "/*! ' */ secret '*/",
        "[it's], secret ']'",
        "`it's`, secret '`'",
        ":name(it's), secret ')'",
    ],
)
def test_an_unknown_database_hides_the_rest_where_known_ones_disagree(
    doubt: str,
) -> None:
    found = text(f"SELECT a, {doubt} FROM t", "unknown")

    assert found in {"SELECT a, ?", "SELECT a,"}


@pytest.mark.parametrize(
    ("sql", "vendor"),
    [
        ("1E'\\', secret'", "postgresql"),
        ("5aE'\\', E' secret '", "postgresql"),
        ("5é$$ ' $$ secret '", "postgresql"),
        ("a$$ ' $$ secret '", "postgresql"),
        (":a$t$ ' $t$ secret '", "postgresql"),
        ("%s$$ ' $$ secret '", "postgresql"),
        ("%s$$ secret $$", "postgresql"),
        ("é$$ ' $$ secret '", "postgresql"),
        (":a('), ' secret '", "sqlite"),
        ("#a('), ' secret '", "sqlite"),
        ("::1('), ' secret '", "sqlite"),
        ("$a::b(') ' secret '", "sqlite"),
        ("a#q'[', ' secret '", "oracle"),
        ("1eq'[' secret ]'", "oracle"),
        (":q'[' secret ]'", "oracle"),
        ("::1('), ' secret '", "unknown"),
        (":a('), ' secret '", "unknown"),
        ("@a('), ' secret '", "unknown"),
        (f":{'a::' * 20}b('), ' secret '", "unknown"),
    ],
)
def test_what_stands_before_a_quote_is_read_as_the_database_reads_it(
    sql: str, vendor: str
) -> None:
    assert "secret" not in text(f"SELECT {sql}", vendor)


def test_a_word_with_foreign_blanks_or_signs_is_hidden() -> None:
    assert text("SELECT naïve5, \u00a05, €5, b") == "SELECT naïve5, ?, ?, b"


# --- lists -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("a IN (1)", "a IN (?)"),
        ("a IN (1, 'b', NULL, %s)", "a IN (?)"),
        ("a IN ( 1 ,2,\n3 )", "a IN (?)"),
        ("(a, b) IN ((1, 2), (3, 4))", "(a, b) IN ((?))"),
        ("a = ANY(ARRAY[1, 2, 3])", "a = ANY(ARRAY[?])"),
        ("VALUES (1, 'a'), (2, DEFAULT), (-3, TRUE)", "VALUES (?)"),
        ("VALUES (%s::jsonb, %s::integer[]), (%s::jsonb, %s::integer[])", "VALUES (?)"),
        ("VALUES (1, NOW()), (2, NOW()), (3, NOW())", "VALUES (?, NOW())"),
        ("VALUES (a), (b)", "VALUES (a), (b)"),
        ("f(1, a, 2)", "f(?, a, ?)"),
    ],
)
def test_the_length_of_a_list_makes_no_difference(sql: str, expected: str) -> None:
    assert text(sql) == expected


def test_the_rows_that_oracle_selects_are_two_at_most() -> None:
    start = "INSERT INTO t (a) SELECT * FROM (SELECT TO_CLOB(%s) col_0 FROM DUAL"
    row = " UNION ALL SELECT TO_CLOB(%s) FROM DUAL"

    few, many = (fingerprint(f"{start}{row * count})", "oracle") for count in (2, 20))

    assert few.text == f"{start}{row})".replace("%s", "?")
    assert few == many


def test_an_insert_of_any_size_is_one_statement() -> None:
    one = "INSERT INTO t (a, b) VALUES (%s, %s)"
    many = one + ", (%s, %s)" * 5_000

    assert fingerprint(many, "postgresql") == fingerprint(one, "postgresql")


# --- limits ----------------------------------------------------------------------------


@pytest.mark.parametrize("blank", [" ", "_"])
def test_a_literal_that_the_limit_cuts_does_not_leak(blank: str) -> None:
    start = "SELECT a, "
    literal = f"'{blank.join(['secret'] * 5_000)}'"

    # Without a blank in the literal, the cut is before it.
    assert text(start + literal) in {"SELECT a, ?", "SELECT a,"}


def test_a_text_is_cut_between_characters_and_stays_what_it_is() -> None:
    sql = "SELECT " + ", ".join(f'"straße{number}"' for number in range(2_000))

    found = text(sql)

    assert TEXT_LIMIT - 20 < len(found.encode()) <= TEXT_LIMIT
    assert text(found) == found


def test_nothing_behind_the_limit_is_looked_at() -> None:
    sql = "SELECT a" + " " * INPUT_LIMIT

    assert fingerprint(sql + ", b", "sqlite") == fingerprint("SELECT a", "sqlite")


def test_what_cannot_be_encoded_is_hidden() -> None:
    assert text('SELECT "a\ud800b", \ud800, 5') == 'SELECT "a?b", ?, ?'


def test_a_null_character_ends_the_statement() -> None:
    assert text("SELECT a\0, secret '") == "SELECT a"


def test_no_statement_is_a_statement() -> None:
    for sql in ("", "  ", ";", "-- nothing"):
        statement = fingerprint(sql, "postgresql")
        assert (statement.text, statement.summary) == ("", "")


def test_a_statement_is_read_once() -> None:
    sql = "SELECT a FROM read_once"

    assert fingerprint(sql, "sqlite") is fingerprint(" ".join(sql.split()), "sqlite")


def test_the_caches_hold_no_more_than_they_may() -> None:
    module._short.cache_clear()
    module._long.cache_clear()

    for number in range(2_000):
        fingerprint(f"SELECT a{number}", "sqlite")
    for number in range(200):
        fingerprint(f"SELECT a{number} FROM t WHERE b = '{'x' * 1_000_000}'", "sqlite")

    assert module._short.cache_info().currsize == module.SHORT_STATEMENTS
    assert module._long.cache_info().currsize == module.LONG_STATEMENTS
    assert module._shortened("x" * 1_000_000) == "x" * INPUT_LIMIT
