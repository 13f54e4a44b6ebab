"""Tell the administrators by mail, through whatever Django sends mail with."""

from __future__ import annotations

import smtplib
from collections.abc import Iterable
from email.utils import parseaddr
from typing import TYPE_CHECKING, Any, Final

from django.conf import global_settings, settings
from django.core import mail
from django.core.exceptions import ImproperlyConfigured

from alerting.channels.base import DeliveryError
from alerting.channels.markup import html
from alerting.notifications.message import plain, subject, text

if TYPE_CHECKING:
    from alerting.notifications.message import Message

__all__ = ["EmailChannel", "addresses"]

TIMEOUT: Final = 10.0  # seconds for one step of the conversation with the mail server


class EmailChannel:
    """Mail to everyone in `ADMINS`, one message with all of them in To."""

    name = "email"

    def unavailable(self) -> str:
        """Say so when there is nobody to write to."""
        return "" if self.recipients() else "ADMINS is empty"

    def recipients(self) -> tuple[str, ...]:
        """Return the addresses of the administrators."""
        return addresses(settings.ADMINS)

    def greet(self) -> None:
        """Log in to the mail server and leave; raise `DeliveryError` when that fails."""
        connection = _connection()
        try:
            connection.open()
            connection.close()
        except smtplib.SMTPResponseException as error:
            raise DeliveryError(_refusal(error)) from None
        except (OSError, smtplib.SMTPException, ImproperlyConfigured) as error:
            raise DeliveryError(f"{type(error).__name__}: {error}") from None

    def send(self, message: Message) -> tuple[str, ...]:
        """Send one mail; raise `DeliveryError` when the server does not take it."""
        email = _mail(message)
        try:
            sent = _connection().send_messages([email])
        except smtplib.SMTPResponseException as error:
            raise DeliveryError(_refusal(error), permanent=_is_final(error)) from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = sorted({code for code, _ in error.recipients.values()})
            is_final = all(code >= 500 for code in codes)
            text_ = f"every recipient was refused ({', '.join(map(str, codes))})"
            raise DeliveryError(text_, permanent=is_final) from None
        except (OSError, smtplib.SMTPException, ImproperlyConfigured) as error:
            raise DeliveryError(f"{type(error).__name__}: {error}") from None
        # Backends that queue the mail, such as django-post-office's, return None.
        if sent == 0:
            raise DeliveryError("the mail backend sent nothing")
        return message.recipients


def addresses(admins: Iterable[Any]) -> tuple[str, ...]:
    """Return the addresses in `ADMINS`, whether as pairs with a name or alone."""
    found = [entry if isinstance(entry, str) else entry[-1] for entry in admins]
    return tuple(dict.fromkeys(plain(str(each)) for each in found if each))


def sender() -> str:
    """Return whom the mail is from."""
    is_chosen = settings.DEFAULT_FROM_EMAIL != global_settings.DEFAULT_FROM_EMAIL
    is_other_chosen = settings.SERVER_EMAIL != global_settings.SERVER_EMAIL
    # A project that has chosen only where Django's own mail to administrators is from.
    if is_other_chosen and not is_chosen:
        return settings.SERVER_EMAIL
    return settings.DEFAULT_FROM_EMAIL


def backend_path() -> str:
    """Return the dotted path of what Django sends mail with."""
    backend = type(_connection())
    return f"{backend.__module__}.{backend.__qualname__}"


def message_id(message: Message) -> str:
    """Return an id that every attempt at this message has, in whichever process."""
    _, address = parseaddr(sender())
    domain = plain(address.rpartition("@")[2]) or "localhost"
    return f"<{message.key}@{domain}>"


def _mail(message: Message) -> mail.EmailMultiAlternatives:
    email = mail.EmailMultiAlternatives(
        subject=subject(message),
        body=text(message),
        from_email=sender(),
        to=list(message.recipients),
        headers={
            "Message-ID": message_id(message),
            "Auto-Submitted": "auto-generated",
        },
    )
    email.attach_alternative(html(message), "text/html")
    return email


def _connection() -> Any:  # noqa: ANN401 - any mail backend
    # Django 6.1 has a new name for this, and a warning for the old one.
    mailers: Any = getattr(mail, "mailers", None)
    connection: Any = mail.get_connection() if mailers is None else mailers.default
    # Where the project has not chosen a timeout: a server that hangs must not hold up
    # the alerts behind this one for ever.
    if getattr(connection, "timeout", TIMEOUT) is None:
        connection.timeout = TIMEOUT
    return connection


def _is_final(error: smtplib.SMTPResponseException) -> bool:
    # A greeting or a login that fails today may not tomorrow; a refused mail stays so.
    is_about_mail = isinstance(error, smtplib.SMTPDataError | smtplib.SMTPSenderRefused)
    return is_about_mail and error.smtp_code >= 500


def _refusal(error: smtplib.SMTPResponseException) -> str:
    reply = error.smtp_error
    words = reply.decode(errors="replace") if isinstance(reply, bytes) else str(reply)
    if isinstance(error, smtplib.SMTPAuthenticationError):
        # Not what the server says, which may quote them.
        words = (
            "the mail server does not accept the user name and password "
            "(EMAIL_HOST_USER and EMAIL_HOST_PASSWORD, or OPTIONS in MAILERS)"
        )
    return plain(f"{error.smtp_code} {words}")
