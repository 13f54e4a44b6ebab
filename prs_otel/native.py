"""Thread primitives of the interpreter itself, whatever gevent patches or has patched.

A background thread that must outlive a blocked hub, and a lock it shares with request
code, cannot be greenlet ones. Imported early, this module captures the originals; where
gevent came first, it asks gevent for them.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from _thread import LockType
    from threading import RLock


def _original(module: str, name: str) -> Any:  # noqa: ANN401 - typed where it is kept
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None:
        return getattr(importlib.import_module(module), name)
    return monkey.get_original(module, name)


allocate_lock: Final[Callable[[], LockType]] = _original("_thread", "allocate_lock")
start_new_thread: Final[Callable[..., int]] = _original("_thread", "start_new_thread")
# Of one's own thread it may be taken twice, as a signal handler or a collected object may have to.
new_rlock: Final[Callable[[], RLock]] = _original("_thread", "RLock")
get_ident: Final[Callable[[], int]] = _original("_thread", "get_ident")
sleep: Final[Callable[[float], None]] = _original("time", "sleep")
