"""Where an API of ours is found: its endpoints, its documentation, and errors of one shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connections
from django.urls import URLPattern, URLResolver, path, re_path

from prs_otel.monitoring.answers import View, not_found, with_etag, with_json_errors
from prs_otel.monitoring.docs import SelfServedSwagger, docs_asset
from prs_otel.monitoring.permissions import staff_only

if TYPE_CHECKING:
    from ninja import NinjaAPI


def mounted(api: NinjaAPI) -> list[URLPattern | URLResolver]:
    """Return the URL patterns of `api`, with its schema and a docs page for staff."""
    api.docs, api.docs_url = SelfServedSwagger(), "/docs/"
    api.openapi_url = "/openapi.json"
    api.docs_decorator = staff_only  # type: ignore[assignment] # of views, not of all
    patterns, app_name, namespace = api.urls
    asset = path("docs/<name>", staff_only(docs_asset))
    for pattern in (*patterns, asset):
        if isinstance(pattern, URLPattern):
            answered = with_etag(with_json_errors(pattern.callback))
            pattern.callback = without_transaction(answered)
    return [
        path("", (patterns, app_name, namespace)),
        asset,
        # With its slash only: a path that merely lacks one is left to APPEND_SLASH.
        re_path(r"^.*/$", not_found),
    ]


def without_transaction(view: View) -> View:
    """Exempt `view` from ATOMIC_REQUESTS.

    What is answered depends on what was committed, and answering at all on no database.
    """
    view._non_atomic_requests = set(connections)  # type: ignore[attr-defined]  # noqa: SLF001 - as `transaction.non_atomic_requests`, of every database
    return view
