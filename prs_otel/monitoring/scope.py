"""What somebody may see.

Staff see everything that is read-only. Another user sees his own organisation, which
`MONITORING_SETTINGS["USER_ORGANIZATION"]` decides from the user alone: nothing that a
request says of itself plays a part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ninja.errors import AuthorizationError

from prs_otel import conf, guard
from prs_otel.instrumentation.identity import NoIdError, as_id
from prs_otel.monitoring.permissions import is_staff

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser


@dataclass(frozen=True, slots=True)
class Scope:
    """What an answer may be about: one organisation, or everything when that is None."""

    organization_id: str | None

    def narrowed(self, organization_id: str | None) -> str | None:
        """Return the organisation an answer is about, None for all; raises 403 for another's."""
        if self.organization_id is None:
            return organization_id
        if organization_id not in (None, self.organization_id):
            raise AuthorizationError(message="This is another organisation than yours.")
        return self.organization_id


EVERYTHING = Scope(organization_id=None)


def scope_of(user: AbstractBaseUser) -> Scope:
    """Return what `user` may see; raises 403 when that is nothing."""
    if is_staff(user):
        return EVERYTHING
    organization_id = _organization_of(user)
    if organization_id is None:
        raise AuthorizationError(message="Your account belongs to no organisation.")
    return Scope(organization_id)


def _organization_of(user: AbstractBaseUser) -> str | None:
    """Ask the project; when its answer cannot be had, nothing is shown."""
    decide = conf.user_organization()
    if decide is None:
        return None
    try:
        # An id that a request is counted under and one that a user belongs to are one text.
        return as_id(decide(user), told_by="USER_ORGANIZATION")
    except NoIdError as error:
        guard.tolerated("USER_ORGANIZATION", error)
    except Exception:  # noqa: BLE001 - the project's code may raise anything
        guard.failed("USER_ORGANIZATION")
    return None
