"""What other packages may ask of this one; ``prs_otel`` offers all of it by name.

Safe to import before Django's applications are ready: what needs more is imported when asked for.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from opentelemetry.sdk.resources import OTELResourceDetector

from prs_otel import conf, pipeline
from prs_otel.rollup.source import ViewSource
from prs_otel.semconv import HOST_NAME, SERVICE_NAME

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.urls import URLPattern, URLResolver
    from ninja import NinjaAPI

    from prs_otel.promql.expressions import Expression
    from prs_otel.rollup.query import Point
    from prs_otel.store.base import Store

_LADDERS = ("cpu", "memory", "disk", "slow_query_rate", "api_error_rate")


class MetricSource:
    """Answer rules from this process's view, whichever that is after a fork. Thread-safe."""

    def query(  # noqa: PLR0913 - the shape that rules read through
        self,
        metric: str,
        *,
        aggregation: str,
        where: Mapping[str, str],
        by: Sequence[str],
        window: float,
        now: float,
    ) -> list[Point]:
        """Return one point per label set, none without data.

        Raises `LookupError` for a metric or label that does not exist and `StoreError`
        when the store cannot be read.
        """
        return _source().query(
            metric, aggregation=aggregation, where=where, by=by, window=window, now=now
        )

    def evidence(
        self, metric: str, *, where: Mapping[str, str], window: float, now: float
    ) -> dict[str, object]:
        """Return contributors, line of code and traces behind a metric's value."""
        return _source().evidence(metric, where=where, window=window, now=now)

    def flat(self, *, now: float) -> dict[str, float]:
        """Return the metrics under their flat names, in percent where they are rates."""
        return _source().flat(now=now)


def metric_source() -> MetricSource:
    """Return what rules read."""
    return MetricSource()


def document_store() -> Store:
    """Return the store, which also keeps small documents: `put`, `get`, `keys`, `delete`."""
    return pipeline.store()


def thresholds() -> dict[str, float]:
    """Return what the settings say of the built-in rules, in the settings' own units."""
    settings = conf.current()
    steps = {
        f"{ladder}_{severity}": float(
            getattr(settings, f"{ladder}_{severity}_threshold")
        )
        for ladder in _LADDERS
        for severity in ("warning", "critical")
    }
    connections = float(settings.database_connections_critical_threshold)
    return {
        **steps,
        "database_connections_critical": connections,
        "system_metrics_interval": settings.system_metrics_interval,
    }


def prometheus_expression(
    metric: str,
    *,
    aggregation: str,
    where: Mapping[str, str],
    by: Sequence[str],
    window: float,
) -> Expression:
    """Return what a rule asks for in PromQL; raises `LookupError` for what is not exported."""
    from prs_otel.promql import expressions

    return expressions.expression(
        expressions.Question(metric, aggregation, where, by, window)
    )


def identity() -> dict[str, str]:
    """Return the labels that tell this store's alerts from those of another host's."""
    return {HOST_NAME: socket.gethostname(), SERVICE_NAME: service_name()}


def service_name() -> str:
    """Return what the user called the service, by default the project's name."""
    named = OTELResourceDetector().detect().attributes.get(SERVICE_NAME)
    return str(named or conf.project_name())


def authentication(level: str) -> Sequence[Callable[[HttpRequest], object]]:
    """Return what Ninja takes as `auth` for an API of that level; `"staff"` is the one there is."""
    from prs_otel.monitoring import permissions

    if level != "staff":
        raise ValueError(f'authentication(level) takes "staff", not {level!r}')
    return permissions.staff_auth()


def settings_authentication(
    *, may_change: bool
) -> Sequence[Callable[[HttpRequest], object]]:
    """Return the `auth` of who may change settings at run time, or at least read them."""
    from prs_otel.monitoring import permissions

    reading = () if may_change else (permissions.MAY_READ_SETTINGS,)
    return permissions.permission_auth(*reading, permissions.MAY_CHANGE_SETTINGS)


def mounted(api: NinjaAPI) -> list[URLPattern | URLResolver]:
    """Return the URL patterns of `api`, with its schema and a docs page for staff."""
    from prs_otel.monitoring import mounting

    return mounting.mounted(api)


def _source() -> ViewSource:
    return ViewSource(pipeline.view(), identity=identity())
