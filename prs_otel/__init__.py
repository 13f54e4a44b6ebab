"""OpenTelemetry instrumentation for Django that monitors and alerts by itself.

The path of one measurement, one verb per stage:

    span ends -> processor.on_end -> Observation.from_span -> rollup.record
      -> seal -> Delta -> store.append                  (each worker, in the background)
      -> MetricsView.query                              (any process, merging all workers)
      -> evaluator.evaluate -> lifecycle.advance -> outbox -> channel.send

Everything this package offers to others is a name below. They are resolved when first used, so
that importing `prs_otel` needs neither ready applications nor settings.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prs_otel.background import Background as Background
    from prs_otel.configuration import ContendedError as ContendedError
    from prs_otel.derived.active import follow_active_alerts as follow_active_alerts
    from prs_otel.events import emit_event as emit_event
    from prs_otel.face import authentication as authentication
    from prs_otel.face import document_store as document_store
    from prs_otel.face import identity as identity
    from prs_otel.face import metric_source as metric_source
    from prs_otel.face import mounted as mounted
    from prs_otel.face import prometheus_expression as prometheus_expression
    from prs_otel.face import service_name as service_name
    from prs_otel.face import settings_authentication as settings_authentication
    from prs_otel.face import thresholds as thresholds
    from prs_otel.guard import guarded as guarded
    from prs_otel.instrumentation.database import unmeasured as unmeasured
    from prs_otel.instrumentation.expected import expected_queries as expected_queries
    from prs_otel.kept import KeptSettings as KeptSettings
    from prs_otel.manual.decorators import (
        monitor_api_performance as monitor_api_performance,
    )
    from prs_otel.manual.decorators import (
        monitor_query_performance as monitor_query_performance,
    )
    from prs_otel.manual.middleware import (
        PerformanceMonitoringMiddleware as PerformanceMonitoringMiddleware,
    )
    from prs_otel.manual.monitor import performance_monitor as performance_monitor
    from prs_otel.monitoring.registry import DocumentRequest as DocumentRequest
    from prs_otel.monitoring.registry import PackageStatus as PackageStatus
    from prs_otel.monitoring.registry import RoundRequest as RoundRequest
    from prs_otel.monitoring.registry import StatusRequest as StatusRequest
    from prs_otel.monitoring.registry import register_cleanup as register_cleanup
    from prs_otel.monitoring.registry import (
        register_command_document as register_command_document,
    )
    from prs_otel.monitoring.registry import register_findings as register_findings
    from prs_otel.monitoring.registry import register_round as register_round
    from prs_otel.monitoring.registry import register_status as register_status
    from prs_otel.pipeline import is_enabled as is_enabled
    from prs_otel.pipeline import on_lead as on_lead
    from prs_otel.pipeline import postfork as postfork

__version__ = "0.1.0"

_FACE = {
    "Background": "prs_otel.background",
    "ContendedError": "prs_otel.configuration",
    "DocumentRequest": "prs_otel.monitoring.registry",
    "KeptSettings": "prs_otel.kept",
    "PackageStatus": "prs_otel.monitoring.registry",
    "PerformanceMonitoringMiddleware": "prs_otel.manual.middleware",
    "RoundRequest": "prs_otel.monitoring.registry",
    "StatusRequest": "prs_otel.monitoring.registry",
    "authentication": "prs_otel.face",
    "document_store": "prs_otel.face",
    "emit_event": "prs_otel.events",
    "expected_queries": "prs_otel.instrumentation.expected",
    "follow_active_alerts": "prs_otel.derived.active",
    "guarded": "prs_otel.guard",
    "identity": "prs_otel.face",
    "is_enabled": "prs_otel.pipeline",
    "metric_source": "prs_otel.face",
    "monitor_api_performance": "prs_otel.manual.decorators",
    "monitor_query_performance": "prs_otel.manual.decorators",
    "mounted": "prs_otel.face",
    "on_lead": "prs_otel.pipeline",
    "performance_monitor": "prs_otel.manual.monitor",
    "postfork": "prs_otel.pipeline",
    "prometheus_expression": "prs_otel.face",
    "register_cleanup": "prs_otel.monitoring.registry",
    "register_command_document": "prs_otel.monitoring.registry",
    "register_findings": "prs_otel.monitoring.registry",
    "register_round": "prs_otel.monitoring.registry",
    "register_status": "prs_otel.monitoring.registry",
    "service_name": "prs_otel.face",
    "settings_authentication": "prs_otel.face",
    "thresholds": "prs_otel.face",
    "unmeasured": "prs_otel.instrumentation.database",
}

__all__ = ["__version__", *_FACE]  # noqa: PLE0604 - the keys are strings


def __getattr__(name: str) -> object:
    if name not in _FACE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_FACE[name]), name)
