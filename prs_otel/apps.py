"""What `"prs_otel"` in INSTALLED_APPS does: register the checks, wait to measure."""

from __future__ import annotations

from django.apps import AppConfig

from prs_otel import checks
from prs_otel.guard import guarded


class PrsOtelConfig(AppConfig):
    """The application `prs_otel`."""

    name = "prs_otel"
    label = "prs_otel"
    verbose_name = "Monitoring"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks; measure once the project is used."""
        checks.register()
        with guarded("apps.ready"):
            # Imported here: a broken dependency of ours must not stop the project.
            from prs_otel.launcher import occasions

            occasions.install()
        with guarded("apps.configuration"):
            from prs_otel import configuration, pipeline

            pipeline.on_lead(configuration.start)
