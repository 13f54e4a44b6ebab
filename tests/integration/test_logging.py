"""What people read in the files that the documentation's LOGGING writes."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

from tests.support.monitored import quick
from tests.support.servers import gunicorn, serving
from tests.support.sites import REPOSITORY, Site
from tests.support.wait import wait_until

IDS = re.compile(r" trace_id=([0-9a-f]{32}) span_id=([0-9a-f]{16})$")
SLOW_QUERIES = {
    "name": "slow_queries",
    "metric": "db.client.operation.slow_rate",
    "window": "4s",
    "operator": ">",
    "threshold": {"warning": 0},
}
QUICK = {
    "FLUSH_INTERVAL": 0.5,
    "SLOW_QUERY_THRESHOLD": 0.2,
    "SLOW_API_THRESHOLD": 0.25,
}


def documented() -> dict[str, Any]:
    """Return the LOGGING that the documentation gives as an example."""
    page = (REPOSITORY / "docs" / "logging.md").read_text()
    block = re.search(r"```python\nLOGGING = (\{.*?^\})\n```", page, re.DOTALL | re.M)
    assert block
    found: dict[str, Any] = ast.literal_eval(block[1])
    return found


def logged(site: Site, name: str) -> list[str]:
    file = Path(site.directory, "logs", name)
    return file.read_text().splitlines() if file.exists() else []


def ids(line: str) -> tuple[str, str]:
    """Return the trace and the span that a line names."""
    found = IDS.search(line)
    assert found, line
    return found[1], found[2]


def test_slow_queries_and_alerts_are_in_the_files_of_the_example(site: Site) -> None:
    site = quick(site, **QUICK).with_settings(
        ALERTING_SETTINGS={"EVALUATION_INTERVAL": 1, "RULES": [SLOW_QUERIES]},
        LOGGING=documented(),
    )
    (site.directory / "logs").mkdir()

    def alerts(state: str, *, after: str) -> list[str]:
        # Without any query there is no data, which resolves nothing.
        server.client.get(after)
        lines = logged(site, "alerts.log")
        return [line for line in lines if line.startswith(f"slow_queries {state} (")]

    with serving(site, gunicorn(f"--chdir={site.directory}", workers=2)) as server:
        slow, fast = "/queries/slow/?seconds=0.3", "/queries/one/"
        firing = wait_until(lambda: alerts("firing", after=slow), seconds=30)
        resolved = wait_until(lambda: alerts("resolved", after=fast), seconds=30)

    assert (len(firing), len(resolved)) == (1, 1)
    trace, span = ids(firing[0])
    lines = [line for line in logged(site, "performance.log") if trace in line]
    query, request = sorted(lines)
    assert (ids(query), ids(request)[0]) == ((trace, span), trace)
    assert query.startswith("event=slow_query duration=")
    assert (
        " method=GET route=/queries/slow/ status=200 code=library/queries.py:" in query
    )
    assert " db=default fingerprint=" in query
    assert ' query="SELECT pg_sleep(?)"' in query
    assert request.startswith("event=slow_request duration=")
    assert " route=/queries/slow/ status=200 query_count=1 query_duration=" in request
