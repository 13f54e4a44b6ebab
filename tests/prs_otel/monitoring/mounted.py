"""The API where the README mounts it, beside a page of the project's own."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse("home")


urlpatterns = [
    path("", home),
    path("api/monitoring/", include("prs_otel.urls")),
]
