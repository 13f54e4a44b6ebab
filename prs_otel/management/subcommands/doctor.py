"""`manage_monitoring doctor`: why there is no data, and what to do about it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime  # noqa: TC003 - pydantic evaluates it
from itertools import groupby
from typing import TYPE_CHECKING, Final

from prs_otel import diagnosis
from prs_otel.management.report import Level, Line, Options, Report
from prs_otel.management.tables import shortened
from prs_otel.monitoring.documents.figures import utc
from prs_otel.monitoring.schemas import Document

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from prs_otel.diagnosis import Finding

LEVELS: Final = {"ok": Level.OK, "warning": Level.WARNING, "critical": Level.CRITICAL}
_INDENT: Final = "    "


class FindingDocument(Document):
    """One thing that was looked at; where all is well there is no remedy."""

    topic: str
    level: str
    message: str
    remedy: str


class Diagnosis(Document):
    """What was found; `status` is the worst of it."""

    status: str
    time: datetime
    findings: list[FindingDocument]


class Doctor:
    """Examine everything that keeps figures from arriving."""

    name = "doctor"
    help = "why is there no data? exit code 0 ok, 1 warning, 2 critical"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take no options of its own."""

    def run(self, options: Options, *, now: float) -> Report:
        """Examine; what cannot be looked at is a finding, not an error."""
        found = diagnosis.examined(diagnosis.look_around(now=now))
        level = max((LEVELS[each.level] for each in found), default=Level.OK)
        document = Diagnosis(
            status=level.name.lower(),
            time=utc(now),
            findings=[_document(each) for each in found],
        )
        return Report(document, lambda width: list(_lines(document, width)), level)


def _document(finding: Finding) -> FindingDocument:
    return FindingDocument(
        topic=finding.topic,
        level=finding.level,
        message=finding.message,
        remedy=finding.remedy,
    )


def _lines(document: Diagnosis, width: int) -> Iterator[Line]:
    yield Line(_headline(document), LEVELS[document.status])
    for topic, found in groupby(document.findings, key=lambda each: each.topic):
        yield Line()
        yield Line(topic, is_heading=True)
        for finding in found:
            yield from _finding(finding, width)


def _headline(document: Diagnosis) -> str:
    wrong = [each for each in document.findings if each.level != "ok"]
    if not wrong:
        return "Nothing is wrong."
    levels = [each.level for each in wrong]
    counts = [
        f"{levels.count(level)} {level}"
        for level in ("critical", "warning")
        if level in levels
    ]
    return f"Found: {', '.join(counts)}."


def _finding(finding: FindingDocument, width: int) -> Iterator[Line]:
    mark = {"ok": "ok", "warning": "!", "critical": "!!"}[finding.level]
    for line in _wrapped(finding.message, f"{mark:<{len(_INDENT)}}", width):
        yield Line(line, LEVELS[finding.level])
    if finding.remedy:
        for line in _wrapped(finding.remedy, f"{_INDENT}> ", width):
            yield Line(line)


def _wrapped(text: str, before: str, width: int) -> Sequence[str]:
    # What a process or a collector says of itself must not steer a terminal.
    return textwrap.wrap(
        shortened(text, 1_000),
        max(width, 40),
        initial_indent=before,
        subsequent_indent=" " * len(before),
        # A path or a command is to be copied in one piece.
        break_long_words=False,
        break_on_hyphens=False,
    )
