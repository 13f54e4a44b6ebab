"""The project with the monitoring API, for reading over HTTP; run as a program it makes a token."""

from __future__ import annotations

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

# More than there are rounds: endpoints that fail, one after the other.
FAULTS = 100

application = get_wsgi_application()


def empty(request: HttpRequest) -> HttpResponse:
    """Answer with nothing: what any answer of this server takes."""
    return HttpResponse()


def fails(request: HttpRequest) -> HttpResponse:
    """Answer as a server that is in trouble."""
    return HttpResponse(status=500)


urlpatterns = [
    path("api/monitoring/", include("prs_otel.urls")),
    path("empty/", empty),
    *(path(f"fails/{number}/", fails) for number in range(FAULTS)),
]


def make_token() -> str:
    """Make the database, somebody on the staff and a bearer token, and return that."""
    from django.contrib.auth.models import User
    from django.utils import timezone

    from prs_otel.monitoring import tokens

    call_command("migrate", run_syncdb=True, verbosity=0)
    user = User.objects.create(username="reader", is_staff=True)
    return tokens.create(user, "benchmark", now=timezone.now())[1]


if __name__ == "__main__":
    print(make_token())
