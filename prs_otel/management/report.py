"""What a subcommand hands back: a document, how to read it, and how bad it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from django.core.serializers.json import DjangoJSONEncoder
from pydantic import BaseModel

if TYPE_CHECKING:
    from argparse import ArgumentParser

Options: TypeAlias = Mapping[str, Any]


class Level(IntEnum):
    """How bad it is; the values are the exit codes that Nagios and its kin expect."""

    OK = 0
    WARNING = 1
    CRITICAL = 2


@dataclass(frozen=True, slots=True)
class Line:
    """A line for the terminal; headings and bad news are coloured where colours are on."""

    text: str = ""
    level: Level | None = None
    is_heading: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """Hold a document and its readable form for a terminal of a given width.

    Without a document nothing is printed: what there was to say has been written already.
    """

    document: BaseModel | Mapping[str, object] | None
    lines: Callable[[int], list[Line]]
    level: Level = Level.OK


class Subcommand(Protocol):
    """One `manage_monitoring <name>`.

    One that writes in other formats than a table and JSON names them as its `formats`.
    """

    name: str
    help: str

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options; `--format` is there already."""
        ...

    def run(self, options: Options, *, now: float) -> Report:
        """Do it; raises `CommandError` for a user's mistake, `StoreError`.

        Beside what was typed, `options` has the stream `stdout`.
        """
        ...


def plain(texts: Sequence[str]) -> list[Line]:
    """Return lines without colour."""
    return [Line(text) for text in texts]


def section(title: str, texts: Sequence[str]) -> list[Line]:
    """Return lines under a heading, set off by an empty line."""
    return [Line(), Line(title, is_heading=True), *plain(texts)]


def json_text(document: BaseModel | Mapping[str, object]) -> str:
    """Return the document as the API sends it, indented for people."""
    if isinstance(document, BaseModel):
        return document.model_dump_json(indent=2)
    return json.dumps(document, cls=DjangoJSONEncoder, indent=2, ensure_ascii=False)
