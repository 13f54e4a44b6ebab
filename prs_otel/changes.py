"""Judge changes of the settings before they are made: which are refused, and in what words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from prs_otel import conf, validation
from prs_otel.conf import FOLLOWED, SETTING, MonitoringSettings


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one key cannot be changed to that value, and what to write instead."""

    key: str
    kind: str
    message: str


def refusals(
    asked: Mapping[str, object], *, stored: Mapping[str, object]
) -> list[Refusal]:
    """Return what is wrong with the changes `asked`, on top of those in force.

    `None` takes a change back, and is judged by what then comes into force.
    """
    return [
        *(_unfollowed(key) for key in asked if key not in FOLLOWED),
        *_contradictions(asked, stored),
    ]


def merged(
    stored: Mapping[str, object], asked: Mapping[str, object]
) -> dict[str, object]:
    """Return the changes that are in force once `asked` were made."""
    both = {**stored, **asked}
    return {key: value for key, value in both.items() if value is not None}


def keys() -> list[str]:
    """Return every key that there is, as it is written."""
    return [field.upper() for field in MonitoringSettings.model_fields]


def _contradictions(
    asked: Mapping[str, object], stored: Mapping[str, object]
) -> list[Refusal]:
    """Judge what is asked as the settings file is, and blame it for nothing of the file's own."""
    known = _problems({})
    judged = FOLLOWED & asked.keys()
    found = []
    for problem in _problems(merged(stored, {key: asked[key] for key in judged})):
        blamed = [key for key in problem.keys if key in judged]
        is_old = problem in known and all(asked[key] is None for key in blamed)
        if blamed and not is_old:
            # What a wrong setting falls back to is of no interest: it is not accepted.
            hint = problem.hint.partition(" Until then")[0]
            found.append(Refusal(blamed[0], problem.kind, f"{problem.message} {hint}"))
    return found


def _problems(changes: Mapping[str, object]) -> list[validation.Problem]:
    written = {**conf.written(), **changes}
    return validation.load(MonitoringSettings, written, name=SETTING)[1]


def _unfollowed(key: str) -> Refusal:
    if key in keys():
        message = (
            f"{SETTING}[{key!r}] is read when a process starts. Write it into the "
            "settings file and restart the server."
        )
        return Refusal(key, "restart", message)
    (problem,) = validation.load(MonitoringSettings, {key: None}, name=SETTING)[1]
    return Refusal(key, problem.kind, f"{problem.message} {problem.hint}")
