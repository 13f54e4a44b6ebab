from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.db import OperationalError
from django.test import Client, override_settings
from django.urls import clear_script_prefix, set_script_prefix

from prs_otel.dashboard import access, assets, views

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls("tests.prs_otel.dashboard.mounted"),
    pytest.mark.usefixtures("bundle"),
]

PAGE = "/monitoring/"
HOSTILE = '"><script>alert(1)</script>'


def data(client: Client, path: str = PAGE, **extra: str) -> dict[str, str]:
    """Return what the page hands to its script."""
    text = client.get(path, **extra).content.decode()  # type: ignore[arg-type]
    return dict(re.findall(r'data-([\w-]+)="([^"]*)"', text))


def organization_of(user: User) -> str | None:
    return "7" if user.username == "alice" else None


def test_an_anonymous_visitor_is_sent_to_the_login_page_and_back(
    client: Client,
) -> None:
    with override_settings(LOGIN_URL="/admin/login/"):
        response = client.get(f"{PAGE}?screen=alerts")

    assert response.status_code == 302
    assert response["Location"] == "/admin/login/?next=/monitoring/%3Fscreen%3Dalerts"


def test_where_the_default_login_page_leads_nowhere_the_admins_is_used(
    client: Client,
) -> None:
    response = client.get(PAGE)

    assert response["Location"] == "/admin/login/?next=/monitoring/"


def test_staff_get_the_page_with_the_addresses_of_both_apis(
    staff_client: Client,
) -> None:
    found = data(staff_client)

    assert found["role"] == "staff"
    assert found["user"] == "staff"
    assert found["monitoring-url"] == "/api/monitoring/"
    assert found["alerting-url"] == "/api/alerting/"


def test_every_address_begins_with_the_prefix_of_the_site(
    staff_client: Client,
) -> None:
    # What a server does with the SCRIPT_NAME of each request.
    set_script_prefix("/intranet/")
    try:
        text = staff_client.get(PAGE, SCRIPT_NAME="/intranet").content.decode()
    finally:
        clear_script_prefix()

    addresses = re.findall(r'(?:src|href|-url)="(/[^"]*)"', text)

    assert len(addresses) >= 5
    assert all(each.startswith("/intranet/") for each in addresses)


def test_a_user_of_an_organization_gets_his_own(alice_client: Client) -> None:
    settings = {"USER_ORGANIZATION": organization_of}
    with override_settings(MONITORING_SETTINGS=settings):
        found = data(alice_client)

    assert found["role"] == "organization"
    assert found["organization"] == "7"


def test_a_user_without_an_organization_is_told_why_he_sees_nothing(
    alice_client: Client,
) -> None:
    response = alice_client.get(PAGE)

    assert response.status_code == 403
    assert "belongs to no organisation" in response.content.decode()


def test_the_page_is_told_the_permissions_of_its_reader(
    staff_client: Client, staff: User
) -> None:
    staff.user_permissions.add(
        Permission.objects.get(codename="change_alert"),
        Permission.objects.get(codename="add_user"),
    )

    assert data(staff_client)["permissions"] == "prs_alerting.change_alert"


@pytest.mark.parametrize(
    ("said", "url"),
    [
        (
            {"TRACE_URL_TEMPLATE": "https://traces.example/{trace_id}"},
            "https://traces.example/{trace_id}",
        ),
        ({"TRACE_URL_TEMPLATE": None}, ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_traces_are_linked_where_the_messages_of_alerts_link_them(
    staff_client: Client, said: object, url: str
) -> None:
    with override_settings(ALERTING_SETTINGS=said):
        assert data(staff_client)["trace-url"] == url


def test_the_policy_forbids_scripts_and_styles_within_the_page(
    staff_client: Client,
) -> None:
    response = staff_client.get(PAGE)
    text = response.content.decode()

    assert "script-src 'self'" in response["Content-Security-Policy"]
    assert "unsafe" not in response["Content-Security-Policy"]
    assert re.findall(r"<script(?![^>]*\bsrc=)", text) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=", text) == []


def test_a_user_name_stays_text(bundle: Path) -> None:
    client = Client()
    client.force_login(User.objects.create_user(HOSTILE, is_staff=True))

    text = client.get(PAGE).content.decode()

    assert HOSTILE not in text
    assert "&quot;&gt;&lt;script&gt;" in text


def test_nobodys_cache_keeps_the_page(staff_client: Client) -> None:
    assert "no-store" in staff_client.get(PAGE)["Cache-Control"]


def test_only_reading_is_answered(staff_client: Client) -> None:
    assert staff_client.post(PAGE).status_code == 405


@pytest.mark.urls("tests.prs_otel.dashboard.without_apis")
def test_without_the_api_the_page_says_what_to_mount(staff_client: Client) -> None:
    response = staff_client.get(PAGE)

    assert response.status_code == 503
    assert "include(&quot;prs_otel.urls&quot;)" in response.content.decode()


def test_without_a_bundle_the_page_says_how_to_build_it(
    staff_client: Client, bundle: Path
) -> None:
    (bundle / assets.SCRIPT).unlink()

    response = staff_client.get(PAGE)

    assert response.status_code == 503
    assert "make install" in response.content.decode()


def test_a_database_that_fails_is_said_and_not_raised(
    staff_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(access, "signed_in", fail)

    response = staff_client.get(PAGE)

    assert response.status_code == 503
    assert "database cannot be read" in response.content.decode()


def test_a_project_can_override_the_template(
    staff_client: Client, tmp_path: Path
) -> None:
    own = tmp_path / "prs_otel"
    own.mkdir()
    extended = (
        '{% extends "prs_otel/dashboard.html" %}{% block before %}Ours{% endblock %}'
    )
    (own / "own.html").write_text(extended)
    engines = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [str(tmp_path)],
            "APP_DIRS": True,
        }
    ]
    with override_settings(TEMPLATES=engines), pytest.MonkeyPatch.context() as patch:
        patch.setattr(views, "TEMPLATE", "prs_otel/own.html")
        text = staff_client.get(PAGE).content.decode()

    assert "Ours" in text
    assert 'id="prs-dashboard"' in text


def test_a_project_without_django_templates_gets_the_page_all_the_same(
    staff_client: Client,
) -> None:
    with override_settings(TEMPLATES=[]):
        assert data(staff_client)["role"] == "staff"
