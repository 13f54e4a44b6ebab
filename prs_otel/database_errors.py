"""Tell of an exception without repeating what a database said: it quotes the data."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import Final

_CHAIN_LIMIT: Final = 20  # exceptions that one may be caused by

# PEP 249 gives every driver's exceptions these bases, and Django's are named alike.
_BASES: Final = frozenset(("DatabaseError", "InterfaceError"))
_NAMES: Final = _BASES | {
    "DataError",
    "IntegrityError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
}


def is_database_error(error: BaseException) -> bool:
    """Tell whether an exception is a database driver's, or Django's in its place."""
    return is_type_of_one(type(error))


def is_type_of_one(kind: type[BaseException]) -> bool:
    """Tell whether exceptions of a class are a database driver's, or Django's."""
    return any(base.__name__ in _BASES for base in kind.__mro__)


def is_named_like_one(name: str) -> bool:
    """Tell whether a class is named as PEP 249 names an exception, in whatever module."""
    return name.rpartition(".")[2] in _NAMES


def quotes_values(error: BaseException) -> bool:
    """Tell whether an exception is, or comes of, a database's."""
    return any(map(is_database_error, _chain(error)))


def stack_of(error: BaseException) -> str:
    """Return types and places of an exception and its causes, without what they or the code say."""
    return "".join(
        f"{type_name(link)}\n{''.join(_places(link))}" for link in _chain(error)
    )


def described(error: BaseException) -> str:
    """Return an exception's message; of a database's only which kinds of error they were."""
    if is_database_error(error):
        return " caused by ".join(map(type_name, _chain(error)))
    return str(error)


def type_name(error: BaseException) -> str:
    """Return the name by which an exception's class is imported."""
    kind = type(error)
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    for _ in range(_CHAIN_LIMIT):
        if link is None:
            return
        yield link
        link = link.__cause__ or link.__context__


def _places(error: BaseException) -> Iterator[str]:
    # No source lines, as a traceback has: SQL with its literals may stand in them.
    for frame, line in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        yield f'  File "{code.co_filename}", line {line}, in {code.co_qualname}\n'
