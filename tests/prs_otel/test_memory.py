from __future__ import annotations

import ctypes
from types import SimpleNamespace

import pytest

from prs_otel import memory


def test_glibc_is_asked_to_return_what_is_unused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    library = SimpleNamespace(malloc_trim=asked.append)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)

    memory.give_back()

    assert asked == [0]


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace())

    memory.give_back()


def test_a_library_that_cannot_be_loaded_is_no_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(name: object) -> None:
        raise OSError("no such library")

    monkeypatch.setattr(ctypes, "CDLL", refuse)

    memory.give_back()
