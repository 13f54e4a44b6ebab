"""What other packages contribute to our commands: documents, and how they are doing.

`prs_otel` never imports `alerting`; who has something to show registers what builds it here,
under the name by which a command asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from pydantic import BaseModel

from prs_otel import guard

ALERTS = "alerts"
"""The document of `GET /api/alerting/history/`."""

TEST_ALERT = "test-alert"
"""What became of a test notification; asking for it sends one."""

EXPORTED_RULES = "exported-rules"
"""The alert rules as files for other engines, and how true each is to itself there."""

ALERTING = "alerting"
"""How alerting is doing; its document is that of `GET /api/alerting/status/`."""


@dataclass(frozen=True, slots=True)
class DocumentRequest:
    """Say what a document is asked about; a builder ignores what does not concern it."""

    now: float
    hours: float = 24.0
    severity: str | None = None
    limit: int = 100
    name: str = ""


Document: TypeAlias = BaseModel | Mapping[str, object]
DocumentBuilder: TypeAlias = Callable[[DocumentRequest], Document]


class Problem(Protocol):
    """Something that is not as it should be, in one line for people."""

    @property
    def level(self) -> Literal["warning", "critical"]:
        """How bad it is."""
        ...

    @property
    def message(self) -> str:
        """What it is."""
        ...


class SettingsProblem(Protocol):
    """A mistake in the settings, and what to write instead."""

    @property
    def key(self) -> str:
        """The key it is under."""
        ...

    @property
    def message(self) -> str:
        """What is wrong."""
        ...

    @property
    def hint(self) -> str:
        """What to write."""
        ...


@dataclass(frozen=True, slots=True)
class PackageStatus:
    """How a package is doing: its own document, and what it finds wrong."""

    document: Document
    problems: Sequence[Problem] = ()
    settings_problems: Sequence[SettingsProblem] = ()


@dataclass(frozen=True, slots=True)
class StatusRequest:
    """Say when; `workers_since` is the start of the oldest live worker, None without any."""

    now: float
    workers_since: float | None


class Finding(Protocol):
    """What somebody found out while looking for what is wrong."""

    @property
    def level(self) -> Literal["ok", "warning", "critical"]:
        """How bad it is."""
        ...

    @property
    def message(self) -> str:
        """What is so."""
        ...

    @property
    def remedy(self) -> str:
        """What to do about it."""
        ...


FindingsBuilder: TypeAlias = Callable[[StatusRequest], Iterable[Finding]]
StatusBuilder: TypeAlias = Callable[[StatusRequest], PackageStatus]

CleanupBuilder: TypeAlias = Callable[[float], Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class PackagesCleaned:
    """How many rows packages have removed, by kind, and what kept some of them from it."""

    removed: Mapping[str, int]
    problems: Sequence[str]


_builders: dict[str, DocumentBuilder] = {}
_status_builders: dict[str, StatusBuilder] = {}
_findings_builders: dict[str, FindingsBuilder] = {}
_cleanup_builders: dict[str, CleanupBuilder] = {}


def register_command_document(name: str, build: DocumentBuilder) -> None:
    """Offer the document called `name`; the latest registration is the one that counts."""
    _builders[name] = build


def register_status(name: str, build: StatusBuilder) -> None:
    """Offer the status of the package called `name`; the latest registration counts."""
    _status_builders[name] = build


def register_findings(name: str, build: FindingsBuilder) -> None:
    """Let the package called `name` examine itself when asked; the latest counts."""
    _findings_builders[name] = build


def register_cleanup(name: str, clean_up: CleanupBuilder) -> None:
    """Let the package called `name` drop what is too old when a cleanup is asked for.

    It is called with the time in epoch seconds and returns how many rows of each kind it has
    removed; the latest registration counts.
    """
    _cleanup_builders[name] = clean_up


def requested_cleanup(now: float) -> PackagesCleaned:
    """Let each package clean up; one that cannot keeps no other from it. Never raises."""
    removed: dict[str, int] = {}
    problems = []
    for name, clean_up in _cleanup_builders.items():
        try:
            removed.update(clean_up(now))
        except Exception as error:  # noqa: BLE001 - packages and databases are foreign code
            guard.tolerated(f"cleanup.{name}", error)
            # Its message may quote data.
            problems.append(f"{name}: {type(error).__name__}")
    return PackagesCleaned(removed, problems)


def requested_findings(request: StatusRequest) -> Iterator[tuple[str, Finding]]:
    """Yield what each package finds, with its name. What a builder raises is passed on."""
    for name, build in _findings_builders.items():
        for finding in build(request):
            yield name, finding


def requested_document(name: str, request: DocumentRequest) -> dict[str, object] | None:
    """Build the document called `name`, ready for JSON; None when nobody offers it.

    What the builder raises is passed on.
    """
    build = _builders.get(name)
    return None if build is None else plain_document(build(request))


def requested_status(name: str, request: StatusRequest) -> PackageStatus | None:
    """Ask the package called `name` how it is doing; None when it is not installed.

    What the builder raises is passed on.
    """
    build = _status_builders.get(name)
    return None if build is None else build(request)


def plain_document(document: Document) -> dict[str, object]:
    """Return a document in types that are ready for JSON."""
    if isinstance(document, BaseModel):
        return document.model_dump(mode="json")
    return dict(document)
