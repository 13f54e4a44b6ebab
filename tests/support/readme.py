"""The examples of the README, as they stand there."""

from __future__ import annotations

import re

from tests.support.sites import REPOSITORY


def blocks(language: str, *, under: str) -> list[str]:
    """Return the code blocks of a language below a heading, up to the next one."""
    text = (REPOSITORY / "README.md").read_text()
    start = text.index(f"# {under}\n")
    section = re.split(r"\n#+ ", text[start:], maxsplit=1)[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)
