"""The safety net for when another distribution or configurator came first."""

from __future__ import annotations

import os

from opentelemetry import trace

from prs_otel.guard import guarded
from prs_otel.launcher import defaults, instrumentors, occasions
from prs_otel.sampling import record_all_spans


def ensure_installed() -> None:
    """Prepare whatever provider there is, before any instrumentor asks it for a tracer.

    Under our own distribution there is nothing left to do.
    """
    with guarded("launcher.hook"):
        defaults.apply(os.environ)
        instrumentors.skip_ours_in_any_distro()
        record_all_spans(trace.get_tracer_provider())
        occasions.install()
