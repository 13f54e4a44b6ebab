"""Fill the project's SQLite file once per run; the workers only read it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ORGANIZATIONS = 10
DEALS = 400
STATES = ("open", "won", "lost")


def create(path: Path) -> None:
    """Create and fill the database at ``path``; sets this process up for Django."""
    os.environ["SITE_DATABASE"] = str(path)
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.site.settings"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    _fill()


def _fill() -> None:
    from benchmarks.site.models import Deal, Organization

    Organization.objects.bulk_create(
        Organization(name=f"Organization {number}") for number in range(ORGANIZATIONS)
    )
    Deal.objects.bulk_create(
        Deal(
            organization_id=1 + number % ORGANIZATIONS,
            title=f"Deal {number}",
            amount=(number * 7919) % 10_000,
            state=STATES[number % len(STATES)],
        )
        for number in range(DEALS)
    )


if __name__ == "__main__":
    create(Path(sys.argv[1]))
