"""Make users, each signed in and with a bearer token."""

from __future__ import annotations

import argparse
import json
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand
from django.test import Client
from django.utils import timezone

from prs_otel.monitoring import tokens


class Command(BaseCommand):
    """Print, for each `name` or `name:flag,flag`, a session and a token as JSON."""

    help = "Make users; a flag is an attribute to set, such as is_staff."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command line."""
        parser.add_argument("people", nargs="+")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        made = {}
        for person in options["people"]:
            name, _, flags = person.partition(":")
            made[name] = self._make(name, filter(None, flags.split(",")))
        self.stdout.write(json.dumps(made))

    def _make(self, name: str, flags: Any) -> dict[str, str]:
        user = User.objects.create(username=name, **dict.fromkeys(flags, True))
        _, token = tokens.create(user, "test", now=timezone.now())
        client = Client()
        client.force_login(user)
        return {
            "session": client.cookies[settings.SESSION_COOKIE_NAME].value,
            "token": token,
        }
