"""`config/` and `maintenance/`: what changes something, for those who are permitted to."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Annotated, Final

from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from ninja import Body, Query, Router
from pydantic import BaseModel, Field, JsonValue

from prs_otel import configuration, distribution, guard, pipeline
from prs_otel.configuration import ContendedError, RefusedError
from prs_otel.monitoring import documents
from prs_otel.monitoring.answers import answer, done
from prs_otel.monitoring.endpoints.reading import FAILURES, REFUSALS, opened_view
from prs_otel.monitoring.permissions import (
    MAY_CHANGE_SETTINGS,
    MAY_READ_SETTINGS,
    AuthenticatedRequest,
    permission_auth,
)
from prs_otel.monitoring.schemas import (
    CleanupDone,
    CompactDone,
    EffectiveSettings,
    Error,
    InvalidParameter,
    InvalidRequest,
    MaintenanceRequest,
    NotDistributed,
    ResetDone,
    SettingChanges,
)
from prs_otel.monitoring.schemas.changeable import request_body
from prs_otel.store.base import StoreError

if TYPE_CHECKING:
    from django.http import HttpRequest
    from ninja import NinjaAPI

MAY_MAINTAIN: Final = "prs_otel.maintain_monitoring"

Key = Annotated[str, Field(max_length=100)]
Asked = Annotated[dict[Key, JsonValue], Body(max_length=100)]

logger = logging.getLogger("prs_otel")
router = Router(tags=["administration"])


class ChangePage(BaseModel):
    """Which of the changes are asked for."""

    limit: Annotated[int, Field(ge=1, le=1_000)] = 50
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0


@router.get(
    "config/",
    auth=permission_auth(MAY_READ_SETTINGS, MAY_CHANGE_SETTINGS),
    response={200: EffectiveSettings, **FAILURES},
)
def settings_in_force(request: AuthenticatedRequest) -> HttpResponse:
    """Return every setting with its origin, and which processes work by the latest change."""
    return answer(request, documents.effective_settings(now=time.time()))


@router.post(
    "config/",
    auth=permission_auth(MAY_CHANGE_SETTINGS),
    response={
        200: EffectiveSettings,
        **REFUSALS,
        400: Error,
        409: Error,
        503: NotDistributed | Error,
    },
    openapi_extra={"requestBody": request_body()},
)
def change_settings(request: AuthenticatedRequest, changes: Asked) -> HttpResponse:
    """Change settings, in force in every process within one flush; null takes a change back."""
    made = configuration.change(changes, user=request.auth, now=timezone.now())
    if pipeline.is_enabled():
        try:
            distribution.distribute(pipeline.store(), made)
        except StoreError as error:
            # The database has it: the leader hands it out once the store is back.
            guard.tolerated("configuration.publish", error)
            return done(_not_distributed(made), status=503)
    return done(documents.effective_settings(now=time.time()))


@router.get(
    "config/changes/",
    auth=permission_auth(MAY_READ_SETTINGS, MAY_CHANGE_SETTINGS),
    response={200: SettingChanges, **REFUSALS},
)
def changes_of_settings(
    request: AuthenticatedRequest, page: Annotated[ChangePage, Query()]
) -> HttpResponse:
    """Return who changed which setting, when, from what to what; newest first."""
    found = documents.setting_changes(limit=page.limit, offset=page.offset)
    return answer(request, found)


@router.post(
    "maintenance/",
    auth=permission_auth(MAY_MAINTAIN),
    response={200: CleanupDone | ResetDone | CompactDone, **REFUSALS, 400: Error},
)
def maintain(request: AuthenticatedRequest, asked: MaintenanceRequest) -> HttpResponse:
    """Clean up, let all counters start from zero, or compact; tell what that did, in numbers."""
    carried_out = documents.ACTIONS[asked.action](opened_view(), now=time.time())
    logger.info(
        "Maintenance by %s: %s",
        request.auth.get_username(),
        carried_out.model_dump_json(),
    )
    return done(carried_out)


def install_error_handlers(api: NinjaAPI) -> None:
    """Answer 422 for what cannot be a setting, and 409 where others were always first."""
    api.add_exception_handler(RefusedError, _refused)
    api.add_exception_handler(ContendedError, _contended)


def _refused(
    request: HttpRequest, error: RefusedError | type[RefusedError]
) -> HttpResponse:
    """Name each key, its value and what to write."""
    found = error.refusals if isinstance(error, RefusedError) else []
    detail = [
        InvalidParameter(type=each.kind, loc=["body", each.key], msg=each.message)
        for each in found
    ]
    return done(InvalidRequest(detail=detail), status=422)


def _contended(
    request: HttpRequest, error: ContendedError | type[ContendedError]
) -> HttpResponse:
    detail = (
        "Others are changing settings at this moment; nothing was changed. Try again."
    )
    return JsonResponse({"detail": detail}, status=409)


def _not_distributed(made: distribution.Changed) -> NotDistributed:
    return NotDistributed(
        detail="The changes are kept in the database, but the monitoring store cannot be "
        "written, so no worker knows of them yet. They are handed out as soon as it can be.",
        revision=made.revision,
        changes=dict(made.changes),
    )
