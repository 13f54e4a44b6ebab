"""Look whether what the scrape endpoint is written with is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prs_otel.checks.finding import SCRAPE, Finding
from prs_otel.checks.installed import is_installed

_LIBRARY: Final = "prometheus_client"


def findings(*, is_on: bool) -> Iterator[Finding]:
    """Yield a finding where the endpoint is switched on and could answer nothing."""
    if is_on and not is_installed(_LIBRARY):
        yield Finding(
            SCRAPE,
            "MONITORING_SETTINGS['SCRAPE_ENDPOINT'] is True, but prometheus-client is not "
            "installed: Prometheus is answered 503.",
            "Install it: pip install 'prs-otel[prometheus]'.",
        )
