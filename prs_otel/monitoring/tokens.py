"""Bearer tokens: made, recognised, revoked.

A token reads `prs_<key>_<secret>`. The key is public and finds the row; the secret is 32
random bytes, of which the database has the SHA-256 alone. A slow password hash would add
nothing: nobody can guess 256 random bits.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import Error, router, transaction
from django.utils.crypto import constant_time_compare

from prs_otel.models import Token

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import AbstractBaseUser

logger = logging.getLogger("prs_otel")

PREFIX: Final = "prs"
USE_NOTED_EVERY: Final = timedelta(hours=1)
_KEY_BYTES: Final = 5
_SECRET_BYTES: Final = 32


def create(
    user: AbstractBaseUser,
    name: str,
    *,
    now: datetime,
    expires_at: datetime | None = None,
) -> tuple[Token, str]:
    """Make a token for `user`; return it with the text to hand over, which is never kept."""
    key = secrets.token_hex(_KEY_BYTES)
    # Hexadecimal, so that the separator cannot occur in the secret.
    secret = secrets.token_hex(_SECRET_BYTES)
    token = Token.objects.create(
        name=name,
        key=key,
        digest=_digest(secret),
        user_id=user.pk,
        created_at=now,
        expires_at=expires_at,
    )
    return token, f"{PREFIX}_{key}_{secret}"


def find(text: str, *, now: datetime) -> Token | None:
    """Return the usable token that `text` is, noting its use; None for anything else."""
    prefix, _, rest = text.partition("_")
    key, _, secret = rest.partition("_")
    # A database refuses some characters outright (NUL): what cannot be a key is not asked for.
    if prefix != PREFIX or not (key.isascii() and key.isalnum()):
        return None
    token = _by_key(key)
    if token is None or not constant_time_compare(token.digest, _digest(secret)):
        return None
    if not token.is_usable(now) or not token.user.is_active:
        return None
    _note_use(token, now)
    return token


def revoke(token: Token, *, now: datetime) -> None:
    """End a token's life at once; one already revoked keeps its time."""
    if token.revoked_at is None:
        token.revoked_at = now
        token.save(update_fields=["revoked_at"])


def _by_key(key: str) -> Token | None:
    # Every request to the API comes by here, and `first()` would sort the one row.
    try:
        return Token.objects.select_related("user").order_by().get(key=key)
    except Token.DoesNotExist:
        return None


def _note_use(token: Token, now: datetime) -> None:
    """Write the time of use at most once an hour: a read must not cost a write each time."""
    if token.last_used_at is not None and now - token.last_used_at < USE_NOTED_EVERY:
        return
    token.last_used_at = now
    try:
        # A savepoint: a failed write must not spoil a transaction the request runs in.
        with transaction.atomic(using=router.db_for_write(Token)):
            Token.objects.filter(pk=token.pk).update(last_used_at=now)
    except Error:
        logger.warning("The last use of token %s could not be noted", token.key)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
