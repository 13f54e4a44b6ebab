"""What `MONITORING_SETTINGS` may say: every key with its type, its bounds and its meaning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from prs_otel.validation import Write, conflict

__all__ = ["FOLLOWED", "MonitoringSettings"]

MOST: Final = 1_000_000
"""The largest count; a number of any length would fail where it becomes a float."""

Flag = Annotated[bool, Write("True or False")]
Seconds = Annotated[
    float,
    Field(ge=0, le=86_400, allow_inf_nan=False),
    Write("a number of seconds from 0 to 86400 (a day), such as 1.5"),
]
Percent = Annotated[
    float, Field(gt=0, le=100), Write("a percentage above 0 and up to 100")
]
Count = Annotated[int, Field(ge=1, le=MOST), Write(f"a whole number from 1 to {MOST}")]
StoreUrl = Annotated[
    Annotated[str, StringConstraints(pattern=r"^(sqlite:////.+|memory://[\w.-]*)$")]
    | None,
    Write(
        "'sqlite:////absolute/path.sqlite3', 'memory://', 'memory://name', "
        "or None for the default"
    ),
]
Names = Annotated[
    list[str] | tuple[str, ...],
    AfterValidator(list),
    Write("a list of names such as ['seed', 'warm_up']"),
]
Callback = Annotated[
    Callable[..., Any] | str | None,
    Write("a function, its dotted path such as 'project.tenants.resolve', or None"),
]

# Which settings are the two steps of one ladder.
_LADDERS: Final = ("cpu", "memory", "disk", "slow_query_rate", "api_error_rate")
_STEPS: Final = ("warning", "critical")

FOLLOWED: Final = frozenset(
    (
        *(f"{each}_{step}_threshold".upper() for each in _LADDERS for step in _STEPS),
        "DATABASE_CONNECTIONS_CRITICAL_THRESHOLD",
        "FLUSH_INTERVAL",
        "METRICS_RETENTION_HOURS",
        "N_PLUS_ONE_MIN_DURATION",
        "N_PLUS_ONE_THRESHOLD",
        "SLOW_API_THRESHOLD",
        "SLOW_QUERY_THRESHOLD",
        "SLOW_TASK_THRESHOLD",
        "SYSTEM_METRICS_INTERVAL",
    )
)
"""What a process takes over while it runs; every other setting shapes it when it starts."""


class MonitoringSettings(BaseModel):
    """What `MONITORING_SETTINGS` may say, one attribute per upper-case key."""

    model_config = ConfigDict(
        alias_generator=str.upper,
        arbitrary_types_allowed=True,
        extra="forbid",
        frozen=True,
        strict=True,
        use_attribute_docstrings=True,
        validate_by_name=True,
    )

    enabled: Flag = True
    """Measure and alert at all. `False` leaves no wrapper, thread or file."""
    slow_query_threshold: Seconds = 1.0
    """A query that takes longer is slow (seconds)."""
    slow_api_threshold: Seconds = 2.0
    """A request that takes longer is slow (seconds)."""
    slow_task_threshold: Seconds = 60.0
    """A task or management command that takes longer is slow (seconds)."""
    cpu_warning_threshold: Percent = 80
    """`high_cpu_usage` warns above this use of the host's processors (percent)."""
    cpu_critical_threshold: Percent = 90
    """`high_cpu_usage` is critical above this (percent)."""
    memory_warning_threshold: Percent = 80
    """`high_memory_usage` warns above this use of the host's memory (percent)."""
    memory_critical_threshold: Percent = 90
    """`high_memory_usage` is critical above this (percent)."""
    disk_warning_threshold: Percent = 90
    """`low_disk_space` warns above this use of the project's file system (percent)."""
    disk_critical_threshold: Percent = 95
    """`low_disk_space` is critical above this (percent)."""
    slow_query_rate_warning_threshold: Percent = 15
    """`high_slow_query_rate` warns above this share of slow queries (percent)."""
    slow_query_rate_critical_threshold: Percent = 30
    """`high_slow_query_rate` is critical above this (percent)."""
    api_error_rate_warning_threshold: Percent = 10
    """`high_api_error_rate` warns above this share of failed requests (percent)."""
    api_error_rate_critical_threshold: Percent = 20
    """`high_api_error_rate` is critical above this (percent)."""
    database_connections_critical_threshold: Count = 50
    """`database_connection_issues` is critical above so many open connections."""
    metrics_retention_hours: Annotated[
        int, Field(ge=1, le=8760), Write("whole hours from 1 to 8760")
    ] = 24
    """How long measurements are kept (hours)."""
    store: StoreUrl = None
    """Where workers put their measurements. `None` is a file of this project's own."""
    store_quota_mb: Annotated[
        int,
        Field(ge=16, le=MOST),
        Write(f"a whole number of megabytes from 16 to {MOST}"),
    ] = 128
    """The store never grows beyond this (megabytes); the oldest data goes first."""
    flush_interval: Annotated[
        float, Field(ge=0.5, le=60), Write("a number of seconds from 0.5 to 60")
    ] = 5.0
    """How often a worker hands over what it measured (seconds)."""
    system_metrics_interval: Annotated[
        float, Field(ge=1, le=3600), Write("a number of seconds from 1 to 3600")
    ] = 15.0
    """How often processor, memory and disk are read (seconds)."""
    series_limit: Count = 2000
    """Endpoints or fingerprints told apart; the others are counted in `__other__`."""
    n_plus_one_threshold: Annotated[
        int, Field(ge=2, le=MOST), Write(f"a whole number from 2 to {MOST}")
    ] = 5
    """The same query so often within one request is an N+1."""
    n_plus_one_min_duration: Seconds = 0.05
    """Repeated queries that take less altogether are no finding (seconds)."""
    track_organizations: Flag = True
    """Tell organisations apart. `False` asks no resolver and keeps no id of one."""
    track_users: Flag = True
    """Tell users apart. `False` keeps no id of one."""
    track_cache: Flag = True
    """Measure the caches. `False` leaves their backends as they are."""
    track_system_metrics: Flag = True
    """Read processor, memory, disk and database connections."""
    scrape_endpoint: Flag = False
    """Answer Prometheus at `/api/monitoring/metrics/`, and keep for it what was ever counted."""
    monitor_commands: Flag = True
    """Count the management commands that are run from a command line, as tasks."""
    ignored_commands: Names = []
    """Management commands not to be counted, beside those that serve until stopped or are about the code."""
    tenant_resolver: Callback = None
    """`(request) -> id | None`: the organisation a request belongs to."""
    user_organization: Callback = None
    """`(user) -> id | None`: the organisation whose figures a user may see."""

    @model_validator(mode="after")
    def _warn_before_critical(self) -> Self:
        for ladder in _LADDERS:
            steps = [f"{ladder}_{step}_threshold" for step in _STEPS]
            warning, critical = (getattr(self, step) for step in steps)
            if warning >= critical:
                raise conflict(
                    steps,
                    f"{steps[0].upper()} ({warning}) is not below "
                    f"{steps[1].upper()} ({critical})",
                )
        return self
