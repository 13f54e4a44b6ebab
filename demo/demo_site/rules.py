"""The demo's own alert rules: short windows, so that they fire and resolve on screen."""

from __future__ import annotations

SLOW_QUERIES = "slow_queries"
RECEIPT_ERRORS = "receipt_errors"

RULES = [
    {
        "name": SLOW_QUERIES,
        "metric": "db.client.operation.slow_rate",
        "window": "15s",
        "operator": ">",
        "threshold": {"warning": 0.005, "critical": 0.05},
        "min_count": 100,
        "for": "4s",
        "annotations": {"summary": "Queries are slow"},
    },
    {
        "name": RECEIPT_ERRORS,
        "metric": "http.server.request.error_rate",
        "where": {"http.route": "/deals/<int:pk>/receipt/"},
        "window": "15s",
        "operator": ">",
        "threshold": {"warning": 0.1, "critical": 0.3},
        "min_count": 5,
        "for": "4s",
        "annotations": {"summary": "Customers cannot open their receipts"},
    },
]
