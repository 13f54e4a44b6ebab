"""The project with the dashboard too, for a browser; run as a program it makes a session."""

from __future__ import annotations

from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import include, path

from benchmarks.site import reading

application = reading.application

urlpatterns = [
    *reading.urlpatterns,
    path("api/alerting/", include("alerting.urls")),
    path("monitoring/", include("prs_otel.dashboard.urls")),
]


def make_session() -> str:
    """Make the database and somebody who may do everything, and return his session's key."""
    from django.contrib.auth.models import User

    call_command("migrate", run_syncdb=True, verbosity=0)
    browser = Client()
    browser.force_login(User.objects.create_superuser("reader"))
    return browser.cookies[settings.SESSION_COOKIE_NAME].value


if __name__ == "__main__":
    print(make_session())
