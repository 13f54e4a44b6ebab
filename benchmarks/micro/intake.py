"""What a storm of other systems' alerts costs: received at once, taken on a part at a time.

Each evaluation reads what has arrived, judges it, and writes alerts, their steps and what is to
be sent, in an SQLite file. The evaluator comes back at once while there is more to take on, so
the longest evaluation is how long everything else has to wait.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from benchmarks.isolation import isolated
from benchmarks.measurement import Measurement, Subject

if TYPE_CHECKING:
    from alerting.models import ExternalAlert
    from benchmarks.options import Options

GROUP: Final = "a storm of other systems' alerts"
ALERTS: Final = 5_000
NAMES: Final = 20
MOST_EVALUATIONS: Final = 100
LARGEST_SAMPLE: Final = 3
MILLISECONDS: Final = 1e3


def measure(options: Options) -> list[Measurement]:
    """Let storms arrive, each in a process and a database of its own."""
    longest, total = [], []
    for number in range(min(options.rounds, LARGEST_SAMPLE)):
        took = isolated(_storm, f"{options.directory}/storm-{number}.sqlite3")
        longest.append(max(took))
        total.append(sum(took) / MILLISECONDS)
    name = f"of {ALERTS:,} alerts"
    return [
        Subject(GROUP, f"longest evaluation {name}", "ms", 1_000.0).median_of(longest),
        Subject(GROUP, f"all evaluations {name}", "s").median_of(total),
    ]


def _storm(database: str) -> list[float]:
    """Return the milliseconds of each evaluation until all have been taken on."""
    _set_up(database)
    import prs_otel
    from alerting.external import service_of
    from alerting.labels import frozen
    from alerting.models import Alert, ExternalAlert
    from alerting.wiring.leading import build_runner
    from alerting.wiring.lease import Nobody

    runner = build_runner(Nobody())
    # The first one reads rules and settings.
    runner.tick(time.time())
    service = service_of(frozen(prs_otel.identity()))
    ExternalAlert.objects.bulk_create(_received(n, service) for n in range(ALERTS))
    took: list[float] = []
    while Alert.objects.count() < ALERTS and len(took) < MOST_EVALUATIONS:
        began = time.perf_counter()
        runner.tick(time.time())
        took.append((time.perf_counter() - began) * MILLISECONDS)
    if Alert.objects.count() != ALERTS:
        raise RuntimeError("the storm was not taken on whole")
    return took


def _set_up(database: str) -> None:
    import django
    from django.conf import settings
    from django.core.management import call_command

    settings.configure(
        ALERTING_SETTINGS={"CHANNELS": ["log"]},
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}
        },
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "prs_otel",
            "alerting",
        ],
        LOGGING_CONFIG=None,
        MONITORING_SETTINGS={"STORE": "memory://"},
        USE_TZ=True,
    )
    django.setup()
    call_command("migrate", verbosity=0)


def _received(number: int, service: str) -> ExternalAlert:
    from alerting.models import ExternalAlert
    from alerting.times import to_datetime

    now = time.time()
    return ExternalAlert(
        service=service,
        source="benchmark",
        fingerprint=f"{number:032x}",
        name=f"storm_{number % NAMES}",
        severity="warning",
        labels={"instance": f"host-{number}", "zone": "a"},
        message=f"host-{number} does not answer",
        is_firing=True,
        starts_at=now,
        expires_at=now + 3_600,
        received_at=to_datetime(now),
    )
