"""The distribution that `opentelemetry-instrument` runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from opentelemetry.instrumentation.distro import BaseDistro  # type: ignore[attr-defined]

from prs_otel.guard import guarded
from prs_otel.launcher import defaults, instrumentors, occasions, preference

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class PrsDistro(BaseDistro):  # type: ignore[misc]
    """Set defaults, and leave Django alone until it is ready."""

    def _configure(self, **_: object) -> None:
        with guarded("launcher.distro"):
            defaults.apply(os.environ)
            preference.say_nothing_of_the_generic()
            occasions.install()

    def load_instrumentor(self, entry_point: EntryPoint, **options: object) -> None:
        """Run an instrumentor, unless what it measures is ours."""
        if not instrumentors.is_ours(entry_point):
            super().load_instrumentor(entry_point, **options)
