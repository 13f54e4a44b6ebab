from __future__ import annotations

import pytest

from prs_otel.promql.names import label_name, metric_name, quoted


@pytest.mark.parametrize(
    ("name", "unit", "kind", "expected"),
    [
        ("http.server.request.duration", "s", "histogram", "http_server_request_duration_seconds"),
        ("system.cpu.utilization", "1", "gauge", "system_cpu_utilization_ratio"),
        ("system.filesystem.usage", "By", "gauge", "system_filesystem_usage_bytes"),
        ("redis.memory.used.bytes", "By", "gauge", "redis_memory_used_bytes"),
        ("db.client.connection.count", "{connection}", "gauge", "db_client_connection_count"),
        ("prs.tenant.requests", "{request}", "counter", "prs_tenant_requests_total"),
        ("requests.total", "{request}", "counter", "requests_total"),
        ("total.requests", "{request}", "counter", "requests_total"),
        ("prs.cache.operation.time", "s", "counter", "prs_cache_operation_time_seconds_total"),
        ("queue.fill.ratio", "1", "gauge", "queue_fill_ratio"),
        ("a..b-c", "", "gauge", "a_b_c"),
        ("95th.percentile", "ms", "gauge", "_95th_percentile_milliseconds"),
        ("things", "widgets", "gauge", "things_widgets"),
    ],
)  # fmt: skip
def test_a_metric_is_called_as_prometheus_translates_it(
    name: str, unit: str, kind: str, expected: str
) -> None:
    assert metric_name(name, unit=unit, kind=kind) == expected


def test_a_label_is_called_as_prometheus_translates_it() -> None:
    assert label_name("http.request.method") == "http_request_method"
    assert label_name("2xx") == "key_2xx"


def test_a_value_cannot_end_its_quotes() -> None:
    assert quoted('a"b\\c\nd') == '"a\\"b\\\\c\\nd"'
