"""Look whether what the scrape endpoint is written with is there."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Final

from prs_otel.checks.finding import SCRAPE, Finding

_LIBRARY: Final = "prometheus_client"


def findings(*, is_on: bool) -> Iterator[Finding]:
    """Yield a finding where the endpoint is switched on and could answer nothing."""
    if is_on and not _is_installed():
        yield Finding(
            SCRAPE,
            "MONITORING_SETTINGS['SCRAPE_ENDPOINT'] is True, but prometheus-client is not "
            "installed: Prometheus is answered 503.",
            "Install it: pip install 'prs-otel[prometheus]'.",
        )


def _is_installed() -> bool:
    try:
        return find_spec(_LIBRARY) is not None
    except ValueError:  # it stands half imported
        return False
