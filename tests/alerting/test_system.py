from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from uuid import UUID, uuid4

import pytest
from django.test import override_settings

import alerting
from alerting import stored_rules
from alerting.models import Alert, StoredSilence
from alerting.rules import CodeRule, Rule, RuleError, load_structured
from alerting.system import AlertingSystem, alert_rule, alerting_system
from tests.support.alerting_source import FakeSource, Reading
from tests.support.alerting_world import World
from tests.support.clock import Clock

BUILT_IN = [
    "high_cpu_usage",
    "high_memory_usage",
    "low_disk_space",
    "high_slow_query_rate",
    "high_api_error_rate",
    "database_connection_issues",
]


@pytest.fixture
def system() -> AlertingSystem:
    return AlertingSystem()


@pytest.fixture
def _clean() -> Iterator[None]:
    registered = alerting_system._registered
    yield
    alerting_system._registered = registered


def names(system: AlertingSystem) -> list[str]:
    return [rule.name for rule in system.get_rules()]


def test_it_can_be_imported_before_django_is_ready() -> None:
    program = (
        "from alerting import alerting_system, alert_rule, Rule, RuleError\n"
        "alerting_system.add_alert_rule({'name': 'r', 'condition': lambda m: True})\n"
        "alert_rule(lambda m: True)\n"
        "import sys; sys.exit('django.apps.registry' in sys.modules "
        "and sys.modules['django.apps.registry'].apps.ready)\n"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_what_it_does_not_offer_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'alertingsystem'"):
        alerting.alertingsystem  # noqa: B018 - looking is the test


def test_the_built_in_rules_are_there_from_the_start(system: AlertingSystem) -> None:
    assert names(system) == BUILT_IN


def test_the_built_in_rules_follow_the_thresholds(system: AlertingSystem) -> None:
    system.use_thresholds(lambda: {"cpu_warning": 1, "cpu_critical": 2})

    assert system.get_rules()[0].rungs[0].threshold == 0.01


def test_the_original_example_works(system: AlertingSystem) -> None:
    rule = {
        "name": "custom_metric_alert",
        "condition": lambda metrics: metrics.get("custom_value", 0) > 100,
        "severity": "warning",
        "message_template": "Custom metric exceeded threshold: {custom_value}",
        "cooldown_minutes": 10,
    }

    added = system.add_alert_rule(rule)

    assert isinstance(added, CodeRule)
    assert names(system)[-1] == "custom_metric_alert"


def test_structured_rules_can_be_registered(system: AlertingSystem) -> None:
    rule = Rule(name="mine", metric="m", threshold=1.0)

    assert system.add_alert_rule(rule) is rule
    assert system.get_rules()[-1] is rule


def test_a_wrong_rule_is_refused_at_once(system: AlertingSystem) -> None:
    with pytest.raises(RuleError, match="condition cannot be 5"):
        system.add_alert_rule({"name": "x", "condition": 5})


def test_the_later_rule_of_a_name_replaces_the_earlier(system: AlertingSystem) -> None:
    own = {"name": "high_cpu_usage", "metric": "m", "threshold": 1}
    with override_settings(ALERTING_SETTINGS={"RULES": [own]}):
        [first, *others] = system.get_rules()
        assert isinstance(first, Rule)
        assert (first.metric, len(others)) == ("m", 5)

        system.add_alert_rule({**own, "metric": "n"})
        first = system.get_rules()[0]
        assert isinstance(first, Rule)
        assert first.metric == "n"


def test_any_rule_can_be_removed_and_added_again(system: AlertingSystem) -> None:
    assert system.remove_alert_rule("low_disk_space")
    assert not system.remove_alert_rule("low_disk_space")
    assert not system.remove_alert_rule("unknown")
    assert "low_disk_space" not in names(system)

    system.add_alert_rule({"name": "low_disk_space", "condition": bool})
    assert "low_disk_space" in names(system)
    assert system.remove_alert_rule("low_disk_space")
    assert "low_disk_space" not in names(system)


@pytest.mark.usefixtures("_clean")
def test_a_decorated_function_is_a_condition() -> None:
    @alert_rule
    def backlog(metrics: Mapping[str, float]) -> bool:
        """Deals wait for too long.

        More about it.
        """
        return metrics["custom_value"] > 1

    rule = alerting_system.get_rules()[-1]
    assert isinstance(rule, CodeRule)
    assert (rule.name, rule.condition) == ("backlog", backlog)
    assert rule.annotations == {"summary": "Deals wait for too long."}


@pytest.mark.usefixtures("_clean")
def test_a_decorator_takes_the_fields_of_the_rule() -> None:
    @alert_rule(name="other", severity="critical", cooldown_minutes=30)
    def condition(metrics: Mapping[str, float]) -> bool:
        return True

    rule = alerting_system.get_rules()[-1]
    assert (rule.name, rule.cooldown, rule.annotations) == ("other", 1800, {})
    assert rule.rungs[0].severity == "critical"


@pytest.mark.django_db
def test_the_history_is_read_in_python(system: AlertingSystem) -> None:
    world = World(clock=Clock(time.time() - 60))
    world.step(0.95)

    [alert] = system.get_alert_history(hours=24, severity="critical")

    assert (alert["name"], alert["state"]) == ("high_cpu_usage", "firing")
    assert system.get_alert_history(severity="warning") == []
    with pytest.raises(ValueError, match="urgent"):
        system.get_alert_history(severity="urgent")


@pytest.mark.django_db
def test_a_rule_is_tried_out_from_python(system: AlertingSystem) -> None:
    source = FakeSource({"queue": [Reading(5.0)]})
    system.use_source(lambda: source)
    rule = {"name": "long_queue", "metric": "queue", "threshold": 3}
    system.add_alert_rule(rule)
    stored_rules.write(load_structured({**rule, "name": "stored"}), user="", now=1.0)

    tried = [system.test_rule(each) for each in (rule, "long_queue", "stored")]

    assert [each["would_fire"] for each in tried] == [True, True, True]
    with pytest.raises(LookupError, match="there is no rule 'nothing'"):
        system.test_rule("nothing")


def test_without_the_application_no_rule_can_be_tried_out() -> None:
    rule = {"name": "long_queue", "metric": "queue", "threshold": 3}

    with pytest.raises(RuntimeError, match="INSTALLED_APPS"):
        AlertingSystem().test_rule(rule)


@pytest.mark.django_db
def test_an_alert_is_acknowledged_and_silenced_from_python(
    system: AlertingSystem,
) -> None:
    world = World(clock=Clock(time.time()))
    silence = system.silence(
        {"alertname": "*"}, hours=2, comment="moving", author="ann"
    )
    world.step(0.85)
    alert = Alert.objects.get()

    assert system.acknowledge(str(alert.pk), user="ann", note="moving")
    assert not system.acknowledge(uuid4(), user="ann")
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.acknowledgement) == ("ann", "moving")
    assert StoredSilence.objects.get().pk == UUID(silence)


@pytest.mark.django_db
@pytest.mark.parametrize("hours", [0, -1, float("nan"), float("inf"), 1e9])
def test_a_silence_lasts_for_some_hours(system: AlertingSystem, hours: float) -> None:
    with pytest.raises(ValueError, match=r"ends_at|hours|a year"):
        system.silence({"alertname": "x"}, hours=hours, comment="c", author="ann")
