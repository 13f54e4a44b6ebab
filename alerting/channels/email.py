"""Tell the administrators by mail, through whatever Django sends mail with."""

from __future__ import annotations

import smtplib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from email.utils import parseaddr
from typing import TYPE_CHECKING, Annotated, Any, Final

from django.conf import global_settings, settings
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string
from pydantic import BeforeValidator, Field

from alerting.channels.base import DeliveryError
from alerting.channels.markup import html
from alerting.channels.options import Options, Write, tupled
from alerting.notifications.message import plain, subject, text

if TYPE_CHECKING:
    from alerting.notifications.message import Message

__all__ = ["EmailChannel", "EmailOptions", "addresses", "sender"]

TIMEOUT: Final = 10.0  # seconds for one step of the conversation with the mail server
SMTP: Final = "django.core.mail.backends.smtp.EmailBackend"
# A digest belongs to many threads; a header must not grow with a storm.
THREADS_LIMIT: Final = 10

Refused = Mapping[str, tuple[int, bytes]]
"""By address, the code and the words with which the server refused it."""


class EmailOptions(Options):
    """Whom to write to."""

    to: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[^\s,;]+@[^\s,;]+$")], ...],
        BeforeValidator(tupled),
        Field(max_length=100),
        Write("a list of addresses such as ['oncall@example.org']"),
    ] = ()
    """In place of `ADMINS`."""


class EmailChannel:
    """Mail to everyone in `ADMINS`, one message with all of them in To.

    The messages of one session share a connection.
    """

    Options = EmailOptions

    def __init__(
        self, name: str = "email", options: EmailOptions | None = None
    ) -> None:
        self.name = name
        self._to = () if options is None else options.to
        self._connection: Any = None
        self._is_shared = False

    def unavailable(self) -> str:
        """Say so when there is nobody to write to, or no mailer to do it."""
        return _no_mailer() if self.recipients() else "ADMINS is empty"

    def recipients(self) -> tuple[str, ...]:
        """Return the addresses of the administrators."""
        return self._to or addresses(settings.ADMINS)

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
        try:
            refused = self._deliver(_mail(message))
        except Exception:
            # What broke once is not used for the next mail.
            self._close()
            raise
        if not self._is_shared:
            self._close()
        if refused:
            raise _partial(message.recipients, refused)
        return message.recipients

    @contextmanager
    def session(self) -> Iterator[None]:
        """Send everything within the block over one connection."""
        self._is_shared = True
        try:
            yield
        finally:
            self._is_shared = False
            self._close()

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        # The mails have been accepted, or their failure has been told.
        with suppress(Exception):
            if connection is not None:
                connection.close()

    def _deliver(self, email: mail.EmailMultiAlternatives) -> Refused:
        """Send a mail, and return who was refused while others were not."""
        try:
            if self._connection is None:
                self._connection = _connection()
                self._connection.open()
            with _refused_by(self._connection) as refused:
                sent = self._connection.send_messages([email])
        except smtplib.SMTPResponseException as error:
            raise DeliveryError(_refusal(error), permanent=_is_final(error)) from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = _codes(error.recipients)
            text_ = f"every recipient was refused ({', '.join(map(str, codes))})"
            is_final = all(code >= 500 for code in codes)
            raise DeliveryError(text_, permanent=is_final) from None
        except (OSError, smtplib.SMTPException, ImproperlyConfigured) as error:
            raise DeliveryError(f"{type(error).__name__}: {error}") from None
        # Backends that queue the mail, such as django-post-office's, return None.
        if sent == 0:
            raise DeliveryError("the mail backend sent nothing")
        return refused


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
    return f"<{message.key}@{_domain()}>"


def threads(message: Message) -> dict[str, str]:
    """Return the headers by which a mail client keeps the mails of one alert together.

    All of them answer one mail that nobody ever sent: what came before need not be known.
    """
    domain = _domain()
    alerts = dict.fromkeys(notice.alert_id for notice in message.worst_first)
    roots = [f"<alert-{each}@{domain}>" for each in list(alerts)[:THREADS_LIMIT]]
    return {"In-Reply-To": roots[0], "References": " ".join(roots)}


def _domain() -> str:
    _, address = parseaddr(sender())
    return plain(address.rpartition("@")[2]) or "localhost"


def _mail(message: Message) -> mail.EmailMultiAlternatives:
    email = mail.EmailMultiAlternatives(
        subject=subject(message),
        body=text(message),
        from_email=sender(),
        to=list(message.recipients),
        headers={
            "Message-ID": message_id(message),
            "Auto-Submitted": "auto-generated",
            **threads(message),
        },
    )
    email.attach_alternative(html(message), "text/html")
    return email


def _no_mailer() -> str:
    """Return why no mail can be sent, without the effects that building a mailer may have."""
    backend = SMTP
    if hasattr(settings, "MAILERS") and hasattr(mail, "mailers"):
        if "default" not in settings.MAILERS:
            return "no mailer is configured; write MAILERS['default']"
        backend = settings.MAILERS["default"].get("BACKEND", SMTP)
    elif not hasattr(mail, "mailers"):
        # From Django 6.1 on, which has mailers, it is deprecated even to look at this.
        backend = settings.EMAIL_BACKEND
    try:
        import_string(backend)
    except ImportError:
        return (
            "the mail backend cannot be imported; write EMAIL_BACKEND (in MAILERS: "
            "BACKEND)"
        )
    return ""


def _connection() -> Any:  # noqa: ANN401 - any mail backend
    # Django 6.1 has a new name for this, and a warning for the old one.
    mailers: Any = getattr(mail, "mailers", None)
    connection: Any = mail.get_connection() if mailers is None else mailers.default
    # Where the project has not chosen a timeout: a server that hangs must not hold up
    # the alerts behind this one for ever.
    if getattr(connection, "timeout", TIMEOUT) is None:
        connection.timeout = TIMEOUT
    return connection


@contextmanager
def _refused_by(connection: Any) -> Iterator[dict[str, tuple[int, bytes]]]:  # noqa: ANN401 - any mail backend
    """Collect whom the server refuses while it takes the mail for others.

    Django drops what `sendmail` returns, which has just that.
    """
    refused: dict[str, tuple[int, bytes]] = {}
    smtp = getattr(connection, "connection", None)
    if not isinstance(smtp, smtplib.SMTP):
        yield refused
        return
    sendmail = smtp.sendmail

    def watched(*args: Any, **options: Any) -> Refused:  # noqa: ANN401 - handed on as they are
        found = sendmail(*args, **options)
        refused.update(found)
        return found

    smtp.__dict__["sendmail"] = watched
    try:
        yield refused
    finally:
        smtp.__dict__.pop("sendmail", None)


def _partial(people: tuple[str, ...], refused: Refused) -> DeliveryError:
    codes = _codes(refused)
    return DeliveryError(
        f"{len(refused)} of {len(people)} recipients were refused "
        f"({', '.join(map(str, codes))})",
        permanent=all(code >= 500 for code in codes),
        accepted=tuple(each for each in people if each not in refused),
    )


def _codes(refused: Refused) -> list[int]:
    return sorted({code for code, _ in refused.values()})


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
