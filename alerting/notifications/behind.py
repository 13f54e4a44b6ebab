"""What stands behind an alert, as names and values: who, where, which traces, what else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["behind"]

Evidence = Mapping[str, Any]


def behind(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Yield what is known, the names not unique, the values as they were measured."""
    yield from _also(evidence)
    for contributor in evidence.get("contributors") or ():
        yield "top", _contributor(contributor)
    for organization in evidence.get("organizations") or ():
        who = str(organization.get("organization"))
        yield "tenant", f"{who}{_details(organization)}"
    code = evidence.get("code")
    if code:
        function = f" in {code['function']}" if code.get("function") else ""
        yield "code", f"{code.get('file')}:{code.get('line')}{function}"
    yield from _traces(evidence)
    for name, value in (evidence.get("metrics") or {}).items():
        yield "metric", f"{name} = {value}"
    if evidence.get("url"):
        yield "link", str(evidence["url"])


def _traces(evidence: Evidence) -> Iterator[tuple[str, str]]:
    urls = evidence.get("trace_urls") or ()
    for at, trace in enumerate(evidence.get("traces") or ()):
        yield "trace", f"{trace} {urls[at]}" if at < len(urls) else str(trace)


def _also(evidence: Evidence) -> Iterator[tuple[str, str]]:
    others = evidence.get("also_firing") or ()
    for each in others:
        count = each.get("count", 1)
        many = f", {count} alerts" if count > 1 else ""
        yield "also", f"{each.get('name')} ({each.get('severity')}{many})"
    if more := evidence.get("also_firing_more"):
        yield "also", f"and {more} more rule{'s' * (more != 1)}"


def _contributor(contributor: Evidence) -> str:
    who = " ".join(
        str(contributor[key])
        for key in ("method", "endpoint", "task", "query", "fingerprint")
        if contributor.get(key)
    )
    return f"{who}{_details(contributor)}"


def _details(measured: Evidence) -> str:
    share, count = measured.get("share"), measured.get("count")
    details = [f"{share * 100:.0f} %"] if isinstance(share, int | float) else []
    details += [f"{count} times"] if isinstance(count, int) else []
    return f" ({', '.join(details)})" if details else ""
