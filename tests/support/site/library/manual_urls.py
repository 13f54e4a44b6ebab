"""The site with what is measured by hand."""

from __future__ import annotations

from django.urls import path

from library import manual, urls

urlpatterns = [
    *urls.urlpatterns,
    path("manual/records/", manual.records),
    path("manual/streams/", manual.streams),
    path("manual/expects/", manual.expects),
    path("manual/awaits/", manual.Awaits.as_view()),
]
