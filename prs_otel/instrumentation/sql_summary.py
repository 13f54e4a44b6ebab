"""Say in a few words what a sanitised statement does, and to which tables.

Follows "Generating a summary of the query" of the OpenTelemetry database conventions:
operations and targets in the order of the text (`SELECT deals_deal auth_user`, `INSERT
archive SELECT deals`), without names that the statement defines itself. The text is
searched, not parsed: an unusual statement gets a shorter summary.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

SUMMARY_LIMIT: Final = 255  # characters, as the conventions say

_NAME: Final = r'(?:"[^"]*+"|`[^`]*+`|\[[^\[\]]*+\]|[@#]*+[^\W\d][\w$#@]*+)'
_TARGET: Final = rf"{_NAME}(?>(?:\.{_NAME})*)"
_NEXT_TARGET: Final = rf"(?:(?: AS)? {_NAME})?,(?: ONLY| LATERAL)* ?{_TARGET}"
_TARGETS: Final = rf"({_TARGET}(?>(?:{_NEXT_TARGET})*))"

_FIRST_WORD: Final = re.compile(r"[\s(]*+([A-Za-z]{1,32})\b")
_LISTED_TARGET: Final = re.compile(rf" ?(?>(?i:(?:ONLY |LATERAL )*))({_TARGET})")
_COMMAND: Final = re.compile(rf"\w++ (?:TABLE )?{_TARGETS}", re.IGNORECASE)
_DEFINITION: Final = re.compile(
    r"\w++(?: \w++){0,2}? (TABLES?|INDEX|VIEW|SEQUENCE|SCHEMA|DATABASE|FUNCTION|PROCEDURE"
    r"|TRIGGER|TYPE|EXTENSION|USER|ROLE)(?> (?:CONCURRENTLY|ONLY|IF EXISTS|IF NOT EXISTS))*"
    rf" {_TARGETS}",
    re.IGNORECASE,
)
_COMMON_TABLE: Final = re.compile(
    rf"(?<![\w$#@])({_NAME})(?: ?\([^()]*+\))? AS (?:(?:NOT )?MATERIALIZED )?\(",
    re.IGNORECASE,
)
_OPERATIONS: Final = {
    name: name for name in ("SELECT", "INSERT", "REPLACE", "MERGE", "UPDATE", "DELETE")
}
_QUOTES: Final = str.maketrans("", "", '"`[]')
_COMMANDS: Final = {
    **dict.fromkeys(("CREATE", "ALTER", "DROP", "LOCK", "REFRESH"), _DEFINITION),
    **dict.fromkeys(("TRUNCATE", "PRAGMA", "CALL", "EXEC", "EXECUTE"), _COMMAND),
    **dict.fromkeys(("SHOW", "USE", "VACUUM", "ANALYZE", "REINDEX"), _COMMAND),
}
# Not EXECUTE, which runs a prepared statement where it is not another word for EXEC.
_CALLS: Final = {"CALL", "EXEC"}


class Summary(NamedTuple):
    """The operation ("SELECT"), its main table or "", and the summary of the whole."""

    operation: str
    collection: str
    summary: str
    procedure: str = ""  # what is called, in place of a table


class _Part(NamedTuple):
    operation: str  # "" where there are targets only, as after JOIN
    targets: list[str]
    is_outermost: bool  # outside of all parentheses


def summarise(text: str) -> Summary:
    """Return what `text` does, which has neither comments nor literals."""
    word = first_word(text)
    if word in _COMMANDS:
        return _of_command(word, text)
    parts = _parts(text, text)
    if not any(part.targets for part in parts):
        parts = _parts(text, text.upper())
    if word == "WITH":
        parts = _without(_COMMON_TABLE.findall(text), parts)
        word = _main_operation(parts)
    elif not parts or parts[0].operation != word:
        parts.insert(0, _Part(word, [], is_outermost=True))
    words = [name for part in parts for name in (part.operation, *part.targets)]
    return Summary(word, _main_target(parts), _joined(words))


def first_word(text: str) -> str:
    """Return the word that a statement starts with, in capitals, or ""."""
    found = _FIRST_WORD.match(text)
    return found[1].upper() if found else ""


def _of_command(word: str, text: str) -> Summary:
    """Summarise a statement that names what it is about right at its start."""
    found = _COMMANDS[word].match(text)
    if found is None:
        return Summary(word, "", word)
    targets = _targets(found[found.lastindex or 1])
    kind = found[1].upper() if found.re is _DEFINITION else ""
    is_table = kind.startswith("TABLE") or word in {"TRUNCATE", "VACUUM", "ANALYZE"}
    collection = targets[0] if is_table else ""
    procedure = targets[0] if word in _CALLS else ""
    return Summary(word, collection, _joined([word, kind, *targets]), procedure)


def _parts(text: str, capitals: str) -> list[_Part]:
    if len(capitals) != len(text):
        return []  # a letter that is two in capitals
    parts = []
    depth = behind = 0
    for found in _PART.finditer(capitals):
        before, behind = behind, found.start()
        depth += text.count("(", before, behind) - text.count(")", before, behind)
        operation = _OPERATIONS.get(found[0].partition(" ")[0], "")
        start, end = found.span(1)
        if operation or end > 0:
            parts.append(_Part(operation, _targets(text[start:end]), depth <= 0))
    return parts


def _targets(names: str) -> list[str]:
    """Return the names of a list like `a x, b AS y`."""
    if "," not in names:
        return [_unquoted(names)] if names else []
    found = (_LISTED_TARGET.match(name) for name in names.split(","))
    return [_unquoted(target[1]) for target in found if target]


def _unquoted(name: str) -> str:
    """Return a name without its quotes, unless it needs them."""
    bare = name.strip('"')
    if bare.isidentifier():
        return bare
    bare = name.translate(_QUOTES)
    return bare if bare.replace(".", "").isidentifier() else name


def _without(names: list[str], parts: list[_Part]) -> list[_Part]:
    own = {_unquoted(name) for name in names}
    return [
        part._replace(targets=[name for name in part.targets if name not in own])
        for part in parts
    ]


def _main_operation(parts: list[_Part]) -> str:
    found = (part.operation for part in parts if part.is_outermost and part.operation)
    return next(found, "SELECT")


def _main_target(parts: list[_Part]) -> str:
    """Return the first target outside of subqueries, else the first of all."""
    first = ""
    for part in parts:
        if part.targets:
            if part.is_outermost:
                return part.targets[0]
            first = first or part.targets[0]
    return first


def _joined(words: list[str]) -> str:
    """Return as many words as the limit allows, none of them cut."""
    summary = " ".join(filter(None, words))
    if len(summary) <= SUMMARY_LIMIT:
        return summary
    return summary[: SUMMARY_LIMIT + 1].rpartition(" ")[0]


def _part_pattern() -> re.Pattern[str]:
    """Match what names an operation or a target, in capitals.

    Each alternative starts with its letter and tests after it what is before it: so the
    search can skip to such letters, which makes it five times faster.
    """

    def word(letters: str, unless: str = "") -> str:
        return rf"{letters[0]}(?<![\w\".`\[$].){unless}{letters[1:]}"

    # FOR UPDATE, ON CONFLICT DO UPDATE and the like change no table of their own.
    clause = "".join(rf"(?<!\b{name} .)" for name in ("FOR", "KEY", "DO", "ON", "THEN"))
    into = r"(?: \w++){0,3}? INTO"
    # Not followed by a target: FROM has another meaning in these.
    functions = [rf"{name}\([^()]*? FROM " for name in ("EXTRACT", "SUBSTRING", "TRIM")]
    words = (
        *map(word, ("SELECT", "DELETE FROM", "FROM", "JOIN", "APPLY")),
        *(word(name + into) for name in ("INSERT", "REPLACE", "MERGE")),
        word("UPDATE", clause),
        *map(word, (*functions, "DISTINCT FROM ")),
    )
    return re.compile(
        rf"(?:{'|'.join(words)})(?:(?<!SELECT) (?>(?:ONLY |LATERAL |\()*)"
        rf"(?!(?:SELECT|VALUES|WITH|SET)\b){_TARGETS})?"
    )


_PART: Final = _part_pattern()
