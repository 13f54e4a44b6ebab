"""Measure calls of stored procedures, which Django shows no `execute_wrapper`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple

from django.db.backends.utils import CursorWrapper

_Wrapper = Callable[[Callable[..., object], object, object, bool, Any], object]

_wrapper: _Wrapper | None = None
_original: Callable[..., Any] | None = None


class _Call(NamedTuple):
    """The statement that a call amounts to, spelt out by whoever describes it."""

    procedure: object

    def as_string(self, context: object) -> str:
        """Return its text, without the parameters."""
        compose = getattr(self.procedure, "as_string", None)
        return f"CALL {self.procedure if compose is None else compose(context)}"


def install(wrapper: _Wrapper) -> None:
    """Run every `callproc` through `wrapper`; calling again replaces it."""
    global _wrapper, _original
    _wrapper = wrapper
    if _original is None:
        _original = CursorWrapper.callproc
        CursorWrapper.callproc = _wrapped(_original)  # type: ignore[method-assign]


def uninstall() -> None:
    """Leave Django's cursors as they were."""
    global _wrapper, _original
    _wrapper = None
    if _original is not None:
        CursorWrapper.callproc = _original  # type: ignore[method-assign]
        _original = None


def _wrapped(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def callproc(
        cursor: CursorWrapper, procname: object, *args: object, **kwargs: object
    ) -> object:
        def execute(*_: object) -> object:
            return original(cursor, procname, *args, **kwargs)

        wrapper = _wrapper
        if wrapper is None:
            return execute()
        context = {"connection": cursor.db, "cursor": cursor}
        return wrapper(execute, _Call(procname), None, False, context)

    return callproc
