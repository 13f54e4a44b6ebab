"""Have Django send mail as a test says, by every kind of settings its version knows."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol

import django
from django.conf import settings
from django.test import override_settings

__all__ = ["SMTP", "WAYS", "Configure"]

SMTP: Final = "django.core.mail.backends.smtp.EmailBackend"


class Configure(Protocol):
    """Use a mail backend with these options for as long as the block lasts."""

    def __call__(
        self, backend: str, **options: object
    ) -> AbstractContextManager[None]: ...


@contextmanager
def by_email_settings(backend: str, **options: object) -> Iterator[None]:
    """Configure mail with `EMAIL_BACKEND`, `EMAIL_HOST` and so on."""
    names = {f"EMAIL_{name.upper()}": value for name, value in options.items()}
    project = override_settings(EMAIL_BACKEND=backend, **names)
    with warnings.catch_warnings():
        # Only for these lines: to send by deprecated settings must not warn once more.
        warnings.filterwarnings("ignore", r"The EMAIL_\w+ setting is deprecated")
        project.enable()
    try:
        # Django 6.1 does not look at them beside this one.
        delattr(settings, "MAILERS")
        yield
    finally:
        project.disable()


@contextmanager
def by_mailers(backend: str, **options: object) -> Iterator[None]:
    """Configure mail with `MAILERS`."""
    mailer = {"BACKEND": backend, "OPTIONS": options}
    with override_settings(MAILERS={"default": mailer}):
        yield


# The one that the version of Django recommends is last.
WAYS: Final[tuple[Configure, ...]] = (
    (by_email_settings, by_mailers)
    if django.VERSION >= (6, 1)
    else (by_email_settings,)
)
