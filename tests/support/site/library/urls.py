"""Every view of the site, and the packages where they are installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import apps
from django.urls import include, path

from library import async_views, queries, views

if TYPE_CHECKING:
    from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = [
    path("plain/", views.plain),
    path("items/<int:pk>/", views.item),
    path("sleeps/", views.sleeps),
    path("fails/", views.fails),
    path("missing/", views.missing),
    path("answers/<int:status>/", views.answers),
    path("streams/", views.streams),
    path("stream-fails/", views.stream_fails),
    path("cached/", views.cached),
    path("others/", views.others),
    path("queries/one/", queries.one),
    path("queries/ten/", queries.ten),
    path("queries/slow/", queries.slow),
    path("queries/n-plus-one/", queries.n_plus_one),
    path("queries/iterates/", queries.iterates),
    path("queries/executes-many/", queries.executes_many),
    path("queries/writes/", queries.writes),
    path("queries/other-alias/", queries.other_alias),
    path("queries/wrong/", queries.wrong),
    path("queries/distinct/<int:number>/", queries.distinct),
    path("queries/large/<int:size>/", queries.large),
    path("queries/streams/", queries.streams),
    path("async/plain/", async_views.plain),
    path("async/one/", async_views.one),
    path("async/n-plus-one/", async_views.n_plus_one),
    path("async/sleeps/", async_views.sleeps),
    path("async/fails/", async_views.fails),
    path("async/missing/", async_views.missing),
    path("async/streams/", async_views.streams),
    path("async/cached/", async_views.cached),
]

if apps.is_installed("prs_otel"):
    from library import planted

    urlpatterns += [
        path("planted/<str:word>/", planted.everywhere),
        path("planted/<str:word>/refused/", planted.refused),
        path("planted/<str:word>/refused-later/", planted.refused_later),
        path("api/monitoring/", include("prs_otel.urls")),
    ]
if apps.is_installed("alerting"):
    urlpatterns.append(path("api/alerting/", include("alerting.urls")))
