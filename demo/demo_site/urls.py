"""Addresses of the demo site."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.contrib.staticfiles.views import serve
from django.urls import include, path

from payments import views

urlpatterns = [
    path("", views.home),
    path("login/", LoginView.as_view(template_name="payments/login.html")),
    path("logout/", LogoutView.as_view()),
    path("deals/", views.deals),
    path("deals/<int:pk>/", views.deal),
    path("deals/<int:pk>/payments/", views.receive_payment),
    path("deals/<int:pk>/receipt/", views.receipt),
    path("organizations/<int:pk>/payments/", views.latest_payments),
    path("organizations/<int:pk>/totals/", views.totals),
    path("statement/duplicates/", views.duplicates),
    path("api/monitoring/", include("prs_otel.urls")),
    path("api/alerting/", include("alerting.urls")),
    path("monitoring/", include("prs_otel.dashboard.urls")),
    path("admin/", admin.site.urls),
    # No web server stands in front of the demo to serve the admin's style sheets.
    path("static/<path:path>", serve, {"insecure": True}),
]
