"""Begin to measure when the project itself has something to be measured."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

from prs_otel.guard import guarded


def is_measuring() -> bool:
    """Begin to measure this process where that is allowed; tell whether it is.

    It is not while monitoring is switched off, in a project's own test run, and without
    settings. Thread-safe.
    """
    with guarded("manual.begin"):
        # Imported here: what asks may be imported before Django's applications are ready.
        from prs_otel import pipeline
        from prs_otel.launcher import deferral

        try:
            is_allowed = pipeline.is_enabled() and not pipeline.is_test_run()
        except ImproperlyConfigured:
            return False
        if is_allowed:
            deferral.begin(serving=False, waits=True)
        return is_allowed
    return False
