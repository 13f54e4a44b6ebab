from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from prs_otel import configuration
from prs_otel.models import SettingChange

pytestmark = pytest.mark.django_db

CHANGES = "/admin/prs_otel/settingchange/"


def changed() -> SettingChange:
    user = User.objects.create_user("alice")
    wanted = {"SLOW_QUERY_THRESHOLD": 0.125}
    configuration.change(wanted, user=user, now=timezone.now())
    return SettingChange.objects.get()


def test_who_changed_which_setting_can_be_read_and_not_changed(
    admin_client: Client,
) -> None:
    change = changed()

    listing = admin_client.get(CHANGES).content.decode()
    page = admin_client.get(f"{CHANGES}{change.pk}/change/").content.decode()

    for text in (listing, page):
        assert "SLOW_QUERY_THRESHOLD" in text
        assert "0.125" in text
        assert "alice" in text
    assert 'name="_save"' not in page
    assert admin_client.get(f"{CHANGES}add/").status_code == 403
    assert admin_client.post(f"{CHANGES}{change.pk}/change/").status_code == 403
    assert admin_client.post(f"{CHANGES}{change.pk}/delete/").status_code == 403


@pytest.mark.parametrize(
    ("permissions", "status"), [((), 403), (("view_settingchange",), 200)]
)
def test_the_audit_is_for_who_may_see_it(
    permissions: tuple[str, ...], status: int
) -> None:
    user = User.objects.create_user("carl", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)

    assert client.get(CHANGES).status_code == status
