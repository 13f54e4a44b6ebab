"""Hand over the last figures where a server ends without calling ``atexit``.

uvicorn answers the requests under way when it is told to end, and then lets the signal through
that told it so: the process dies of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from wrapt import register_post_import_hook

from prs_otel.guard import guarded

if TYPE_CHECKING:
    from types import ModuleType

_SERVER: Final = "uvicorn.server"


def install() -> None:
    """Say farewell at the end of uvicorn, imported or not."""
    register_post_import_hook(_follow_uvicorn, _SERVER)


def _follow_uvicorn(module: ModuleType) -> None:
    server: Any = module.Server
    shut_down: Callable[..., Awaitable[None]] = server.shutdown

    @wraps(shut_down)
    async def shutdown(self: object, *args: object, **kwargs: object) -> None:
        try:
            await shut_down(self, *args, **kwargs)
        finally:
            _hand_over()

    server.shutdown = shutdown


def _hand_over() -> None:
    with guarded("launcher.farewell"):
        # Imported here: they import Django and the SDK.
        from prs_otel import pipeline
        from prs_otel.launcher import exporting

        pipeline.flush()
        exporting.flush(exporting.SHUTDOWN_MILLISECONDS / 1_000)
