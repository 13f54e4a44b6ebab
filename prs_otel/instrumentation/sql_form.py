"""Give statements that are of one kind one form: no lengths, no signs, no passing names.

Works on text without literals, and may be given its own result again.
"""

from __future__ import annotations

import re
from typing import Final

from prs_otel.instrumentation.sql_summary import first_word

_CAST: Final = r"(?:(?=::)(?>(?:::\w++(?:\[\])?)*)|)"
_VALUE: Final = rf"(?:[-+]?+\?|(?i:NULL|DEFAULT|TRUE|FALSE)){_CAST}"
_VALUES: Final = rf" ?{_VALUE}(?>(?: ?, ?{_VALUE})*) ?"
_ROW: Final = rf"\({_VALUES}(?:\)|[ ,%:]*+\Z)"  # the last one may have been cut
_ROWS: Final = re.compile(rf"{_ROW}(?>(?: ?, ?{_ROW})*)(?:,? ?\(?\Z)?")
_ARRAY: Final = re.compile(rf"\[{_VALUES}\]")

# A sign belongs to the number unless something is subtracted from.
_SIGN: Final = re.compile(
    r"[-+](?=\?)(?:(?<=[=<>(,*/|%].)|(?<=[=<>(,*/|%] .)|(?<=[A-Za-z] .)(?:"
    r"(?<=\b(?i:BY|IN|OR) .)|(?<=\b(?i:AND|NOT) .)|(?<=\b(?i:ELSE|LIKE|THEN|WHEN) .)"
    r"|(?<=\b(?i:LIMIT) .)|(?<=\b(?i:OFFSET|RETURN|SELECT) .)"
    r"|(?<=\b(?i:BETWEEN|DEFAULT) .)))\?"
)

# Rows with expressions, all alike. If one has a VALUES of its own they are left alone:
# collapsing that might make rows alike that were not. Oracle's rows are SELECTs.
_INNER: Final = r"(?<!VALUES)(?<!VALUES )\([^()]*+\)"
_UNTIL_DUAL: Final = r"SELECT (?>(?:(?! FROM DUAL\b).)*) FROM DUAL"
_ALIKE: Final = re.compile(
    rf"\b(VALUES ?)(\((?>(?:[^()]|{_INNER})*)\))(?>(?: ?, ?\2)+)"
    rf"|( UNION ALL {_UNTIL_DUAL})(?>(?:\3)+)",
    re.IGNORECASE,
)
# Django makes up a name for each savepoint and cursor, and to Oracle a password is one.
_SAVEPOINT: Final = re.compile(
    r"(SAVEPOINT|RELEASE(?: SAVEPOINT)?|ROLLBACK(?: WORK)? TO(?: SAVEPOINT)?"
    r"|(?:SAVE|ROLLBACK) TRAN(?:SACTION)?) (?!SAVEPOINT\b).++",
    re.IGNORECASE,
)
_CURSOR: Final = re.compile(r'("?)\b_django_curs_\w++\1')
_PASSWORD: Final = re.compile(r"(\bIDENTIFIED BY) .++", re.IGNORECASE)

_Substitution = tuple[re.Pattern[str], str]
_BY_FIRST_WORD: Final[dict[str, _Substitution]] = {
    word: substitution
    for words, substitution in (
        ("INSERT REPLACE VALUES WITH", (_ALIKE, r"\1\2\3")),
        ("SAVEPOINT RELEASE ROLLBACK SAVE", (_SAVEPOINT, r"\1 ?")),
        ("DECLARE FETCH MOVE CLOSE", (_CURSOR, "?")),
        ("CREATE ALTER GRANT", (_PASSWORD, r"\1 ?")),
    )
    for word in words.split()
}


def without_lengths(text: str) -> str:
    """Return `text` with lists of values, and lists of such lists, as `(?)`."""
    if "[" in text:
        text = _ARRAY.sub("[?]", text)
    return _ROWS.sub("(?)", text)


def in_one_form(text: str) -> str:
    """Return `text`, which has no lengths, without signs and names made up for once."""
    if "-" in text or "+" in text:
        text = _SIGN.sub("?", text)
    pattern, replacement = _BY_FIRST_WORD.get(first_word(text), (None, ""))
    return text if pattern is None else pattern.sub(replacement, text)
