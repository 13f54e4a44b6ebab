from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client, override_settings
from django.urls import path

from alerting.models import Alert
from tests.support.alerting_world import World

urlpatterns = [path("admin/", admin.site.urls)]


@pytest.mark.django_db
@override_settings(ROOT_URLCONF=__name__)
def test_alerts_can_be_looked_at_and_not_changed(admin_client: Client) -> None:
    World().step(0.95)
    alert = Alert.objects.get()
    base = "/admin/prs_alerting/alert/"

    listing = admin_client.get(base).content.decode()
    page = admin_client.get(f"{base}{alert.pk}/change/").content.decode()

    assert "high_cpu_usage" in listing
    assert "fake" in page
    assert 'name="_save"' not in page
    assert admin_client.get(f"{base}add/").status_code == 403
    assert admin_client.post(f"{base}{alert.pk}/delete/").status_code == 403
