"""`manage_monitoring token create|list|revoke`: bearer tokens of the API."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError
from django.utils import timezone

from prs_otel.management.arguments import add_format
from prs_otel.management.report import Level, Line, Options, Report, plain
from prs_otel.management.tables import Column, pairs, table
from prs_otel.management.units import UNKNOWN
from prs_otel.models import Token
from prs_otel.monitoring import tokens
from prs_otel.monitoring.schemas import Document

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser


class TokenDocument(Document):
    """A token as lists show it: never with its secret."""

    key: str
    name: str
    user: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None


class CreatedToken(TokenDocument):
    """A new token; `token` is shown this once and kept nowhere."""

    token: str


class TokenList(Document):
    """All tokens, newest first."""

    items: list[TokenDocument]
    count: int


class Tokens:
    """Make, list and revoke bearer tokens."""

    name = "token"
    help = "bearer tokens of the API: create, list, revoke"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what can be done with tokens."""
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="make a token for a user")
        create.add_argument("--user", required=True, help="the user it speaks for")
        create.add_argument("--name", default="token", help="what it is for")
        create.add_argument(
            "--expires-in-days", type=_days, help="its life (default: until revoked)"
        )
        listing = actions.add_parser("list", help="show tokens, without their secrets")
        revoke = actions.add_parser("revoke", help="end a token's life")
        revoke.add_argument("key", help="the token's key, as shown by list")
        for action in (create, listing, revoke):
            add_format(action)

    def run(self, options: Options, *, now: float) -> Report:
        """Do what was asked; raises `CommandError` for an unknown user or key."""
        actions = {"create": _create, "list": _list, "revoke": _revoke}
        return actions[options["action"]](options)


def _create(options: Options) -> Report:
    user = _user(options["user"])
    now, days = timezone.now(), options["expires_in_days"]
    expires_at = None if days is None else now + timedelta(days=days)
    token, text = tokens.create(user, options["name"], now=now, expires_at=expires_at)
    document = CreatedToken(**_fields(token), token=text)
    lines = [
        "Send it as: Authorization: Bearer <token>. It is shown this once.",
        *pairs([("user", str(user)), ("expires", _time(expires_at)), ("token", text)]),
    ]
    return Report(document, lambda _: plain(lines))


def _list(options: Options) -> Report:
    found = [
        TokenDocument(**_fields(token))
        for token in Token.objects.select_related("user")
    ]
    document = TokenList(items=found, count=len(found))
    return Report(document, lambda width: _lines(found, width))


def _revoke(options: Options) -> Report:
    token = Token.objects.select_related("user").filter(key=options["key"]).first()
    if token is None:
        message = f"No token has the key {options['key']!r}: see `token list`."
        raise CommandError(message, returncode=Level.CRITICAL)
    tokens.revoke(token, now=timezone.now())
    document = TokenDocument(**_fields(token))
    return Report(document, lambda _: plain([f"Token {token} is revoked."]))


def _lines(found: Sequence[TokenDocument], width: int) -> list[Line]:
    if not found:
        return [Line("No tokens.")]
    columns = [
        Column("key"),
        Column("name", is_flexible=True),
        Column("user", is_flexible=True),
        Column("created"),
        Column("last used"),
        Column("ends"),
    ]
    rows = [
        [
            token.key,
            token.name,
            token.user,
            _time(token.created_at),
            _time(token.last_used_at),
            "revoked" if token.revoked_at else _time(token.expires_at),
        ]
        for token in found
    ]
    return plain(table(columns, rows, width=width))


def _user(name: str) -> AbstractBaseUser:
    users = get_user_model()
    try:
        # The way in that every user model has, whatever it calls its managers and names.
        user: AbstractBaseUser = users._default_manager.get_by_natural_key(name)  # noqa: SLF001
    except users.DoesNotExist as error:
        message = f"There is no user {name!r}."
        raise CommandError(message, returncode=Level.CRITICAL) from error
    return user


def _fields(token: Token) -> dict[str, Any]:
    return {
        "key": token.key,
        "name": token.name,
        "user": token.user.get_username(),
        "created_at": _aware(token.created_at),
        "last_used_at": _aware(token.last_used_at),
        "expires_at": _aware(token.expires_at),
        "revoked_at": _aware(token.revoked_at),
    }


def _aware(at: datetime | None) -> datetime | None:
    """Return a time in UTC; without USE_TZ the database has local ones."""
    if at is None:
        return None
    return (timezone.make_aware(at) if timezone.is_naive(at) else at).astimezone(UTC)


def _time(at: datetime | None) -> str:
    return UNKNOWN if at is None else f"{at:%Y-%m-%d %H:%M}"


def _days(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number of days, 1 or more")
    return int(text)
