"""Run a management command in this process and keep what it printed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import StringIO
from typing import Any

from django.core.management import call_command


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command printed, and how it ended."""

    text: str
    exit_code: int

    def json(self) -> Any:
        """Return the document that was printed."""
        return json.loads(self.text)


def manage_monitoring(*arguments: str) -> Outcome:
    """Run `manage_monitoring`, as from a terminal that shows no colours."""
    out = StringIO()
    exit_code = 0
    try:
        call_command("manage_monitoring", *arguments, stdout=out, no_color=True)
    except SystemExit as ended:
        exit_code = int(ended.code or 0)
    return Outcome(out.getvalue(), exit_code)
