"""The documents of the monitoring API, as its users read them.

Durations are seconds, rates and utilisations ratios 0..1, sizes bytes, times RFC 3339 in
UTC. A figure nobody has measured is null, never a zero that looks measured.
"""

from __future__ import annotations

from prs_otel.monitoring.schemas.administration import (
    CleanupDone,
    CompactDone,
    EffectiveSetting,
    EffectiveSettings,
    Follower,
    IgnoredChange,
    MaintenanceRequest,
    NotDistributed,
    ResetDone,
    SettingChanged,
    SettingChanges,
)
from prs_otel.monitoring.schemas.calls import (
    ApiMetrics,
    CallFigures,
    EndpointMetrics,
    OrganizationMetrics,
    StatusClasses,
    UserMetrics,
)
from prs_otel.monitoring.schemas.database import (
    AliasMetrics,
    DatabaseMetrics,
    NPlusOneFinding,
    StatementEndpoint,
    StatementMetrics,
)
from prs_otel.monitoring.schemas.document import Document
from prs_otel.monitoring.schemas.figures import (
    CacheFigures,
    CodeLocation,
    DurationFigures,
    EndpointFigures,
    FingerprintFigures,
    MonitorFigures,
    NamedTaskFigures,
    OrganizationFigures,
    QueryFigures,
    RequestFigures,
    SystemFigures,
    TaskFigures,
    TaskSummary,
    UserFigures,
    WindowDocument,
)
from prs_otel.monitoring.schemas.health import (
    DetailedHealth,
    Health,
    HealthCheck,
    HealthStatus,
)
from prs_otel.monitoring.schemas.latency import Latency, LatencyPoint
from prs_otel.monitoring.schemas.lines import EndpointTrend, EndpointTrends
from prs_otel.monitoring.schemas.refusals import Error, InvalidParameter, InvalidRequest
from prs_otel.monitoring.schemas.samples import (
    SlowCall,
    SlowCalls,
    SlowQueries,
    SlowQuery,
)
from prs_otel.monitoring.schemas.summary import OrganizationSummary, Summary
from prs_otel.monitoring.schemas.system import (
    CacheMetrics,
    CacheOperation,
    ConnectionFigures,
    HostMetrics,
    SystemMetrics,
    WorkerMetrics,
)
from prs_otel.monitoring.schemas.trends import (
    Deploy,
    TrendCache,
    TrendPoint,
    TrendQueries,
    TrendRequests,
    Trends,
    TrendTasks,
)

__all__ = [
    "AliasMetrics",
    "ApiMetrics",
    "CacheFigures",
    "CacheMetrics",
    "CacheOperation",
    "CallFigures",
    "CleanupDone",
    "CodeLocation",
    "CompactDone",
    "ConnectionFigures",
    "DatabaseMetrics",
    "Deploy",
    "DetailedHealth",
    "Document",
    "DurationFigures",
    "EffectiveSetting",
    "EffectiveSettings",
    "EndpointFigures",
    "EndpointMetrics",
    "EndpointTrend",
    "EndpointTrends",
    "Error",
    "FingerprintFigures",
    "Follower",
    "Health",
    "HealthCheck",
    "HealthStatus",
    "HostMetrics",
    "IgnoredChange",
    "InvalidParameter",
    "InvalidRequest",
    "Latency",
    "LatencyPoint",
    "MaintenanceRequest",
    "MonitorFigures",
    "NPlusOneFinding",
    "NamedTaskFigures",
    "NotDistributed",
    "OrganizationFigures",
    "OrganizationMetrics",
    "OrganizationSummary",
    "QueryFigures",
    "RequestFigures",
    "ResetDone",
    "SettingChanged",
    "SettingChanges",
    "SlowCall",
    "SlowCalls",
    "SlowQueries",
    "SlowQuery",
    "StatementEndpoint",
    "StatementMetrics",
    "StatusClasses",
    "Summary",
    "SystemFigures",
    "SystemMetrics",
    "TaskFigures",
    "TaskSummary",
    "TrendCache",
    "TrendPoint",
    "TrendQueries",
    "TrendRequests",
    "TrendTasks",
    "Trends",
    "UserFigures",
    "UserMetrics",
    "WindowDocument",
    "WorkerMetrics",
]
