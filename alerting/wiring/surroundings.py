"""What alerting runs in outside a request: the database as one has it, settings as changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from django.db import connections

import prs_otel
from alerting import conf, history

if TYPE_CHECKING:
    from alerting.endpoints.site import KeptSettings

# The row of the database that has what people change of ALERTING_SETTINGS.
SETTINGS_ROW: Final = 2


@contextmanager
def surroundings() -> Iterator[None]:
    """Use the database as a request would, without being measured."""
    with prs_otel.unmeasured():
        _refresh_connections()
        try:
            yield
        finally:
            _refresh_connections()


def _refresh_connections() -> None:
    """Close what broke or is too old, as Django does around every request."""
    for each in connections.all(initialized_only=True):
        # Even closing may fail when the server is gone. The next query will tell.
        with suppress(*history.DATABASE_ERRORS):
            if not each.in_atomic_block:
                each.close_if_unusable_or_obsolete()


def kept() -> KeptSettings:
    """Return what people have changed of `ALERTING_SETTINGS`."""
    return prs_otel.KeptSettings(conf.SETTING, row=SETTINGS_ROW)
