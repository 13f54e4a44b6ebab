from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.core import checks as django_checks
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import include, path

from alerting import checks, conf
from alerting.checks import mail
from alerting.checks.mail import SMTP, MailSetup


def receive(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


# With `ROOT_URLCONF = __name__` the site has a webhook.
urlpatterns = [
    path("webhook/", include(([path("", receive, name="webhook")], "prs_alerting")))
]

DUMMY = "django.core.mail.backends.dummy.EmailBackend"


def setup(**changed: str) -> MailSetup:
    whole = {"backend": SMTP, "host": "mail.example.org", "sender": "a@example.org"}
    return MailSetup(**{**whole, **changed})


def by_mail(**changed: Any) -> override_settings:
    """Send by SMTP, in the way of the Django that is installed, with these changes."""
    modern = hasattr(settings, "MAILERS")
    backend = changed.pop("EMAIL_BACKEND", SMTP)
    if not modern:
        return override_settings(EMAIL_BACKEND=backend, **changed)
    options = {"host": changed.pop("EMAIL_HOST")} if "EMAIL_HOST" in changed else {}
    mailers = {"default": {"BACKEND": backend, "OPTIONS": options}}
    return override_settings(MAILERS=mailers, **changed)


def test_mail_by_a_server_of_ones_own_is_fine() -> None:
    with by_mail(EMAIL_HOST="mail.example.org"):
        assert checks.check_mail(None) == []
        assert checks.check_mail_arrives(None) == []


def test_mail_without_a_server_is_a_warning() -> None:
    with by_mail():
        [warning] = checks.check_mail(None)

    assert warning.id == checks.NO_MAIL_SERVER
    assert warning.msg == "Alerts are told by email, but no mail server is configured."
    assert "'localhost' if one on this host is meant" in (warning.hint or "")


def test_a_server_on_this_host_may_be_meant() -> None:
    with by_mail(EMAIL_HOST="localhost"):
        assert checks.check_mail(None) == []


def test_a_sender_nobody_has_chosen_is_a_warning() -> None:
    django_own = "webmaster@localhost"
    with by_mail(EMAIL_HOST="mail.example.org", DEFAULT_FROM_EMAIL=django_own):
        [warning] = checks.check_mail(None)

    assert warning.id == checks.NO_MAIL_SERVER
    assert "mailed from webmaster@localhost" in warning.msg


@pytest.mark.parametrize(
    "changed",
    [{"ADMINS": []}, {"ALERTING_SETTINGS": {"CHANNELS": ["log"]}}],
    ids=["nobody to write to", "another channel"],
)
def test_where_no_rule_notifies_by_mail_none_is_needed(changed: dict[str, Any]) -> None:
    with by_mail(**changed):
        assert checks.check_mail(None) == []
        assert checks.check_mail_arrives(None) == []


def test_mail_that_goes_nowhere_is_a_warning_before_deployment_only() -> None:
    closed = {"WEBHOOK_SECRET": "a long random value"}
    with by_mail(EMAIL_BACKEND=DUMMY), override_settings(ALERTING_SETTINGS=closed):
        quiet = django_checks.run_checks(tags=[checks.TAG])
        told = django_checks.run_checks(
            tags=[checks.TAG], include_deployment_checks=True
        )

    assert [message.id for message in quiet] == []
    assert [message.id for message in told] == [checks.SINK]
    assert f"but {DUMMY} sends nothing" in told[0].msg


def test_a_backend_that_is_not_djangos_own_knows_best() -> None:
    elsewhere = setup(backend="anymail.backends.ses.EmailBackend", host="")

    assert list(mail.problems(elsewhere)) == []
    assert list(mail.sinks(elsewhere)) == []


@pytest.mark.parametrize(
    ("mailers", "host"),
    [
        ({"default": {"OPTIONS": {"host": "mail.example.org"}}}, "mail.example.org"),
        ({"default": {"BACKEND": SMTP}}, ""),
        ({"other": {}}, ""),
    ],
)
def test_the_mailers_of_newer_djangos_are_read(mailers: Any, host: str) -> None:
    with override_settings(MAILERS=mailers):
        assert mail.setup(settings, "a@example.org") == setup(host=host)


# --- the webhook ------------------------------------------------------------------------


def ids_of_deployment(**settings_: Any) -> list[str | None]:
    with override_settings(**{"ROOT_URLCONF": __name__, "DEBUG": False, **settings_}):
        found = django_checks.run_checks(
            tags=[checks.TAG], include_deployment_checks=True
        )
    return [message.id for message in found if message.id != checks.SINK]


def test_a_webhook_without_a_secret_is_a_warning_before_deployment_only() -> None:
    assert ids_of_deployment() == [checks.OPEN_WEBHOOK]
    with override_settings(ROOT_URLCONF=__name__):
        assert django_checks.run_checks(tags=[checks.TAG]) == []


@pytest.mark.parametrize(
    "settings_",
    [
        {"ALERTING_SETTINGS": {"WEBHOOK_SECRET": "a long random value"}},
        {"DEBUG": True},
        {"ROOT_URLCONF": "django.contrib.auth.urls"},
        {"ROOT_URLCONF": "no.such.module"},
    ],
    ids=["a secret", "development", "no webhook", "broken URLs"],
)
def test_what_nobody_can_misuse_needs_no_secret(settings_: dict[str, Any]) -> None:
    assert ids_of_deployment(**settings_) == []


def test_an_empty_secret_is_none() -> None:
    empty = {"WEBHOOK_SECRET": ""}

    assert ids_of_deployment(ALERTING_SETTINGS=empty) == [checks.OPEN_WEBHOOK]


def test_no_message_repeats_a_secret() -> None:
    with override_settings(ALERTING_SETTINGS={"WEBHOOK_SECRET": b"xyzzy"}):
        [error] = checks.check_settings(None)
    with override_settings(ALERTING_SETTINGS={"WEBHOOK_SECRET": "xyzzy"}):
        assert "xyzzy" not in repr(conf.current())

    assert error.msg == "ALERTING_SETTINGS['WEBHOOK_SECRET'] cannot be what it is."
