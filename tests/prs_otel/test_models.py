from __future__ import annotations

import pytest
from django.core.management import call_command


@pytest.mark.django_db
def test_the_migrations_are_complete() -> None:
    call_command("makemigrations", "prs_otel", check=True, dry_run=True, verbosity=0)
