"""What other systems post, written after their public documentation."""

from __future__ import annotations

import json
import time
from typing import Any, Final

from alerting.webhook.credentials import signature

SECRET: Final = "a long random value"
NEVER: Final = "0001-01-01T00:00:00Z"


def simple(**fields: Any) -> dict[str, Any]:
    """Return a post in the simple form."""
    return {
        "name": "queue_backlog",
        "severity": "critical",
        "message": "The queue has 5,000 jobs",
        "metrics": {"jobs": 5000, "worker": "w1", "is_paused": False, "oldest": None},
        **fields,
    }


def alertmanager(*alerts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a group as Alertmanager posts it."""
    entries = list(alerts) or [prometheus_alert()]
    return {
        "version": "4",
        "groupKey": '{}:{alertname="InstanceDown"}',
        "truncatedAlerts": 0,
        "status": entries[0]["status"],
        "receiver": "prs",
        "groupLabels": {"alertname": "InstanceDown"},
        "commonLabels": {"alertname": "InstanceDown", "job": "node"},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "alerts": entries,
        **fields,
    }


def prometheus_alert(**fields: Any) -> dict[str, Any]:
    """Return one alert of such a group."""
    return {
        "status": "firing",
        "labels": {
            "alertname": "InstanceDown",
            "instance": "db1:9100",
            "job": "node",
            "severity": "page",
        },
        "annotations": {
            "summary": "Instance db1:9100 down",
            "description": "db1:9100 of job node has been down for 5 minutes.",
        },
        "startsAt": "2026-01-31T12:00:00.123456789Z",
        "endsAt": NEVER,
        "generatorURL": "http://prometheus:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
        "fingerprint": "c3f9d4e1a2b70516",
        **fields,
    }


def grafana(**fields: Any) -> dict[str, Any]:
    """Return a group of one alert as Grafana posts it."""
    alert = {
        "status": "firing",
        "labels": {
            "alertname": "Disk is full",
            "grafana_folder": "Hosts",
            "instance": "web7",
        },
        "annotations": {"summary": "The disk of web7 is nearly full"},
        "startsAt": "2026-01-31T13:00:00+01:00",
        "endsAt": NEVER,
        "generatorURL": "https://grafana.example.org/alerting/grafana/abc/view",
        "fingerprint": "57c6d9296de2ad39",
        "silenceURL": "https://grafana.example.org/alerting/silence/new",
        "dashboardURL": "https://grafana.example.org/d/dash",
        "panelURL": "https://grafana.example.org/d/dash?viewPanel=2",
        "values": {"A": 0.97, "B": None},
        "valueString": "[ var='A' labels={instance=web7} value=0.97 ]",
        "orgId": 1,
    }
    return {
        "receiver": "prs",
        "status": "firing",
        "orgId": 1,
        "alerts": [{**alert, **fields}],
        "groupLabels": {"alertname": "Disk is full"},
        "commonLabels": {"alertname": "Disk is full"},
        "commonAnnotations": {},
        "externalURL": "https://grafana.example.org/",
        "version": "1",
        "groupKey": '{}:{alertname="Disk is full"}',
        "truncatedAlerts": 0,
        "title": "[FIRING:1] Disk is full",
        "state": "alerting",
        "message": "**Firing**",
    }


def encoded(document: object) -> bytes:
    """Return a document as the body of a request."""
    return json.dumps(document).encode()


def signed(
    body: bytes, *, secret: str = SECRET, at: float | None = None
) -> dict[str, str]:
    """Return the headers that sign a body, now unless told when."""
    timestamp = str(int(time.time() if at is None else at))
    proof = signature(secret, timestamp, body)
    return {"X-Prs-Timestamp": timestamp, "X-Prs-Signature": f"v1={proof}"}
