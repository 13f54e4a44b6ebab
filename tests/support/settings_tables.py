"""Write the tables of docs/settings.md from the models that read the settings.

`python -m tests.support.settings_tables` rewrites the file; a test tells when it is due.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from pydantic import BaseModel

PAGE: Final = Path(__file__).parents[2] / "docs" / "settings.md"

_BLOCK: Final = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(model: type[BaseModel]) -> str:
    """Return the Markdown table of a settings model, one row per key."""
    return "\n".join(("| key | default | meaning |", "|---|---|---|", *_rows(model)))


def written(page: str, models: Mapping[str, type[BaseModel]]) -> str:
    """Return the page with each marked table as its model says."""

    def block(match: re.Match[str]) -> str:
        return f"{match[1]}{table(models[match[2]])}\n{match[3]}"

    return _BLOCK.sub(block, page)


def _rows(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        meaning = (field.description or "").replace("\n", " ").replace("|", "\\|")
        default = field.get_default(call_default_factory=True)
        default = list(default) if isinstance(default, tuple) else default
        yield f"| `{name.upper()}` | `{default!r}` | {meaning} |"


def models() -> dict[str, type[BaseModel]]:
    """Return the model behind each settings dictionary."""
    from alerting.conf import AlertingSettings
    from prs_otel.conf import MonitoringSettings

    return {
        "MONITORING_SETTINGS": MonitoringSettings,
        "ALERTING_SETTINGS": AlertingSettings,
    }


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    PAGE.write_text(written(PAGE.read_text(), models()))
