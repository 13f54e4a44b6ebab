from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.core import checks as django_checks
from django.test import override_settings

from alerting import checks
from alerting.checks import mail
from alerting.checks.mail import SMTP, MailSetup

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
    with by_mail(EMAIL_BACKEND=DUMMY):
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
