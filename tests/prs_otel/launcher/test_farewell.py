from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from prs_otel import pipeline
from prs_otel.launcher import farewell


class Server:
    """uvicorn's server, as far as it is wrapped."""

    async def shutdown(self, sockets: list[str]) -> None:
        """End what is under way."""
        sockets.append("closed")
        if len(sockets) > 1:
            raise OSError("of the server's own")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Any:
    class Followed(Server):
        shutdown = Server.shutdown

    module: Any = ModuleType("uvicorn.server")
    module.Server = Followed
    farewell._follow_uvicorn(module)
    return module.Server()


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    flushed: list[str] = []
    monkeypatch.setattr(pipeline, "flush", lambda: flushed.append("flush"))
    return flushed


def test_the_end_of_uvicorn_hands_over_the_last_figures(
    server: Any, flushed: list[str]
) -> None:
    sockets: list[str] = []

    asyncio.run(server.shutdown(sockets=sockets))

    assert (sockets, flushed) == (["closed"], ["flush"])


def test_an_end_that_fails_fails_as_it_would_have(
    server: Any, flushed: list[str]
) -> None:
    with pytest.raises(OSError, match="of the server's own"):
        asyncio.run(server.shutdown(sockets=["open"]))

    assert flushed == ["flush"]


def test_uvicorn_is_followed_once_it_is_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hooks: dict[str, Callable[..., object]] = {}
    monkeypatch.setattr(
        farewell,
        "register_post_import_hook",
        lambda hook, name: hooks.update({name: hook}),
    )

    farewell.install()

    assert hooks == {"uvicorn.server": farewell._follow_uvicorn}
    assert "uvicorn.server" not in sys.modules
