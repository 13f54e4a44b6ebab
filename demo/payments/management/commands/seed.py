"""Fill an empty database with the demo's data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.management.base import BaseCommand

from payments import seeding
from payments.models import User

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

# Twice the SLOW_QUERY_THRESHOLD: no whim of a processor brings it below.
SEARCH_SECONDS = 0.4


class Command(BaseCommand):
    """Fill an empty database with the demo's data."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the login of the demo's staff."""
        parser.add_argument("--username", default="demo")
        parser.add_argument("--password", default="demo")

    def handle(self, *_: object, username: str, password: str, **__: object) -> None:
        """Make the staff user, the tenants and the bank statement."""
        User.objects.create_superuser(username, password=password)
        seeding.make_tenants(password)
        lines = seeding.make_statement(SEARCH_SECONDS)
        self.stdout.write(f"{lines} statement lines")
