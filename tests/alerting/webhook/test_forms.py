from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.rules import Severity
from alerting.webhook import forms
from alerting.webhook.errors import FieldsError, PayloadError, TooLargeError
from alerting.webhook.posted import Batch, Posted
from tests.support import posts

NOW = 1_780_000_000.0
STARTED = 1_769_860_800.0  # 2026-01-31T12:00:00Z
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
    ),
    max_leaves=10,
)
KEYS = st.sampled_from(
    [
        "name",
        "severity",
        "message",
        "metrics",
        "status",
        "labels",
        "fingerprint",
        "starts_at",
        "ends_at",
        "url",
        "alerts",
        "version",
        "orgId",
    ]
)
ENTRY = st.dictionaries(
    st.sampled_from(
        [
            "status",
            "labels",
            "annotations",
            "startsAt",
            "endsAt",
            "fingerprint",
            "generatorURL",
            "values",
            "panelURL",
        ]
    ),
    JSON,
)


def only(document: object) -> Posted:
    (alert,) = forms.read(document, now=NOW).alerts
    return alert


def problems(document: object) -> str:
    with pytest.raises(FieldsError) as caught:
        forms.read(document, now=NOW)
    return "; ".join(caught.value.problems)


def test_the_simple_form_says_it_all() -> None:
    batch = forms.read(
        posts.simple(
            labels={"queue": "mail"},
            starts_at="2026-01-31T12:00:00Z",
            url="https://example.org/queues",
        ),
        now=NOW,
    )

    assert batch.form == "webhook"
    (alert,) = batch.alerts
    assert (alert.name, alert.severity) == ("queue_backlog", Severity.CRITICAL)
    assert alert.message == "The queue has 5,000 jobs"
    assert alert.metrics == {
        "jobs": 5000,
        "worker": "w1",
        "is_paused": False,
        "oldest": None,
    }
    assert (alert.is_firing, alert.starts_at) == (True, STARTED)
    assert alert.url == "https://example.org/queues"
    assert only(posts.simple(starts_at=None)).starts_at is None


def test_figures_keep_their_types() -> None:
    alert = only(posts.simple(metrics={"a": 1, "b": 1.0, "c": True, "d": "1"}))

    assert [type(value) for value in alert.metrics.values()] == [int, float, bool, str]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": ""}, "name: .*one line"),
        ({"name": "a\nb"}, "name: .*one line"),
        ({"name": "x" * 101}, "name: .*100"),
        ({"name": 1}, "name: "),
        ({"severity": "bad"}, "severity: .*critical"),
        ({"severity": None}, "severity must be there"),
        ({"message": None}, "message must be there"),
        ({"message": "x" * 4001}, "message: .*4000"),
        ({"metrics": {"a": "x" * 1025}}, "metrics.a"),
        ({"metrics": {"a": "é" * 600}}, "metrics.a"),
        ({"metrics": {"a": [1]}}, "metrics.a"),
        ({"metrics": {"a": {}}}, "metrics.a"),
        ({"metrics": {str(at): at for at in range(51)}}, "metrics: .*50"),
        ({"metrics": [1]}, "metrics: "),
        ({"labels": {"a": 1}}, "labels.a"),
        ({"labels": {"": "a"}}, "labels"),
        ({"labels": {str(at): "" for at in range(33)}}, "labels: .*32"),
        ({"status": "pending"}, "status: .*firing"),
        ({"starts_at": "yesterday"}, "starts_at: .*2026-01-31T12:00:00Z"),
        ({"starts_at": "2026-01-31T12:00:00"}, "starts_at"),
        ({"starts_at": "9999-12-31T23:59:59Z"}, "starts_at"),
        ({"ends_at": 5}, "ends_at"),
        ({"url": "javascript:alert(1)"}, "url: .*http"),
        ({"url": "file:///etc/passwd"}, "url: .*http"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(FieldsError, match=said):
        forms.read(posts.simple(**fields), now=NOW)


def test_every_mistake_is_told_at_once_and_no_value_repeated_at_length() -> None:
    found = problems({"name": "x" * 5000, "severity": "y" * 5000, "labels": 5})

    assert all(field in found for field in ("name", "severity", "labels"))
    assert len(found) < 1000


def test_what_is_over_needs_its_name_only() -> None:
    fired = only(posts.simple())
    over = only({"name": "queue_backlog", "status": "resolved"})

    assert not over.is_firing
    assert over.fingerprint == fired.fingerprint


def test_an_alert_that_has_ended_does_not_fire() -> None:
    over = only(posts.simple(ends_at="2026-01-31T12:00:00Z"))

    assert not over.is_firing


def test_a_fingerprint_or_name_and_labels_tell_one_from_another() -> None:
    prints = {
        only(posts.simple(**fields)).fingerprint
        for fields in (
            {},
            {"name": "other"},
            {"labels": {"a": "1"}},
            {"labels": {"a": "2"}},
            {"fingerprint": "1"},
            {"fingerprint": "2"},
        )
    }
    same = only(posts.simple(fingerprint="1", labels={"a": "9"}, name="other"))

    assert len(prints) == 6
    assert same.fingerprint in prints


def test_an_alert_of_alertmanager_is_understood() -> None:
    batch = forms.read(posts.alertmanager(), now=NOW)

    assert batch.form == "alertmanager"
    (alert,) = batch.alerts
    assert (alert.name, alert.severity) == ("InstanceDown", Severity.CRITICAL)
    assert alert.message == (
        "Instance db1:9100 down: db1:9100 of job node has been down for 5 minutes."
    )
    assert alert.labels == {"instance": "db1:9100", "job": "node"}
    assert alert.starts_at == pytest.approx(STARTED + 0.123456)
    assert (alert.is_firing, alert.ends_at) == (True, None)
    assert alert.url.startswith("http://prometheus:9090/graph")


def test_alertmanager_resolves_by_the_same_fingerprint() -> None:
    fired = only(posts.alertmanager())
    over = only(
        posts.alertmanager(
            posts.prometheus_alert(status="resolved", endsAt="2026-01-31T12:05:00Z")
        )
    )

    assert not over.is_firing
    assert over.fingerprint == fired.fingerprint
    assert over.ends_at == STARTED + 300


def test_an_alert_of_grafana_is_understood() -> None:
    batch = forms.read(posts.grafana(), now=NOW)

    assert batch.form == "grafana"
    (alert,) = batch.alerts
    assert (alert.name, alert.severity) == ("Disk is full", Severity.WARNING)
    assert alert.labels == {"grafana_folder": "Hosts", "instance": "web7"}
    assert alert.metrics == {"A": 0.97, "B": None}
    assert alert.url == "https://grafana.example.org/d/dash?viewPanel=2"
    assert alert.starts_at == STARTED


def test_grafana_may_send_no_values() -> None:
    assert only(posts.grafana(values=None)).metrics == {}


def test_what_is_too_long_for_alertmanager_to_send_again_is_cut() -> None:
    labels = {f"label{at}": "x" * 9000 for at in range(100)}
    alert = only(
        posts.alertmanager(
            posts.prometheus_alert(
                labels={"alertname": "y" * 300, **labels},
                annotations={"description": "z" * 9000},
                generatorURL="javascript:alert(1)",
                startsAt="soon",
                fingerprint=None,
            )
        )
    )

    assert (len(alert.name), len(alert.labels)) == (100, 32)
    assert len(alert.message) <= 4000
    assert (alert.url, alert.starts_at) == ("", None)


def test_an_alert_without_a_name_has_one() -> None:
    alert = only(posts.alertmanager({"status": "firing", "labels": {}}))

    assert alert.name == "unnamed alert"


@pytest.mark.parametrize(
    "document", [None, [], "text", 5, {"alerts": 5}, {"alerts": [], "version": "3"}]
)
def test_a_form_that_nobody_knows_is_refused(document: object) -> None:
    with pytest.raises(PayloadError):
        forms.read(document, now=NOW)


def test_an_entry_that_is_no_alert_is_named() -> None:
    for group in (posts.alertmanager(), posts.grafana()):
        assert problems({**group, "alerts": [{}, 5]}) == "alerts.1: it is no object"


def test_of_alerts_there_are_no_more_than_five_hundred() -> None:
    many = [posts.prometheus_alert()] * 501

    assert len(forms.read(posts.alertmanager(*many[1:]), now=NOW).alerts) == 500
    with pytest.raises(TooLargeError, match="500"):
        forms.read(posts.alertmanager(*many), now=NOW)


def test_an_empty_group_is_no_mistake() -> None:
    assert forms.read(posts.alertmanager(alerts=[]), now=NOW) == Batch(
        "alertmanager", ()
    )


@given(
    JSON
    | st.dictionaries(KEYS, JSON)
    | st.fixed_dictionaries({"alerts": st.lists(ENTRY | JSON, max_size=3)})
)
def test_whatever_is_posted_is_understood_within_bounds_or_refused(
    document: object,
) -> None:
    try:
        batch = forms.read(document, now=NOW)
    except (FieldsError, PayloadError, TooLargeError):
        return
    for alert in batch.alerts:
        assert 1 <= len(alert.name) <= 100
        assert len(alert.fingerprint) == 32
        assert len(alert.labels) <= 33
        assert alert.url == "" or alert.url.startswith(("http://", "https://"))
