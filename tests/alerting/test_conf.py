from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from django.test import override_settings

from alerting import checks, conf
from alerting.rules import CodeRule, Rule
from tests.support.alerting_world import FakeChannel
from tests.support.mailing import WAYS

GOOD: dict[str, Any] = {"name": "r", "metric": "m", "threshold": 1}
HERE = __name__


def always(metrics: Mapping[str, float]) -> bool:
    return True


class BrokenChannel(FakeChannel):
    def unavailable(self) -> str:
        raise LookupError("token=secret")


RULE = {"name": "by_path", "metric": "m", "threshold": 1}


def only_problem(**settings: object) -> conf.Problem:
    with override_settings(ALERTING_SETTINGS=settings):
        [problem] = conf.problems()
        return problem


def test_every_key_has_the_default_of_the_documentation() -> None:
    found = conf.current()

    assert (found.alert_cooldown_minutes, found.max_alerts_per_hour) == (15, 10)
    assert (found.email_batch_size, found.evaluation_interval) == (5, 15)
    assert (found.rules, found.channels) == ((), ("email", "log"))
    assert (conf.rules(), conf.problems()) == ((), ())


def test_what_is_written_is_in_force() -> None:
    written = {
        "ALERT_COOLDOWN_MINUTES": 0,
        "MAX_ALERTS_PER_HOUR": 60,
        "EMAIL_BATCH_SIZE": 1,
        "EVALUATION_INTERVAL": 2,
        "CHANNELS": ["console"],
        "RULES": [GOOD],
    }
    with override_settings(ALERTING_SETTINGS=written):
        found = conf.current()
        [rule] = conf.rules()

    assert (found.alert_cooldown_minutes, found.max_alerts_per_hour) == (0, 60)
    assert (found.email_batch_size, found.evaluation_interval) == (1, 2)
    assert (found.channels, rule.name) == (("console",), "r")


@pytest.mark.parametrize(
    ("key", "value", "hint"),
    [
        ("ALERT_COOLDOWN_MINUTES", -1, "a number of minutes from 0 to 10080"),
        ("ALERT_COOLDOWN_MINUTES", "15", "a number of minutes"),
        ("ALERT_COOLDOWN_MINUTES", True, "a number of minutes"),
        ("ALERT_COOLDOWN_MINUTES", float("nan"), "a number of minutes"),
        ("MAX_ALERTS_PER_HOUR", 0, "a whole number, 1 or more"),
        ("MAX_ALERTS_PER_HOUR", 1.5, "a whole number"),
        ("EMAIL_BATCH_SIZE", 0, "a whole number from 1 to 100"),
        ("GROUP_WAIT_SECONDS", -1, "a number of seconds from 0 to 3600"),
        ("EVALUATION_INTERVAL", 0.1, "a number of seconds from 1 to 3600"),
        ("RULES", {}, "a list of rules"),
        ("CHANNELS", "email", 'a list such as ["email", "log"]'),
        ("CHANNELS", [5], 'a list such as ["email", "log"]'),
    ],
)
def test_a_wrong_value_costs_its_own_key(key: str, value: object, hint: str) -> None:
    with override_settings(ALERTING_SETTINGS={key: value, "EMAIL_BATCH_SIZE ": 0}):
        problems = {problem.key: problem for problem in conf.problems()}
        found = conf.current()

    assert problems[key].kind == "value"
    assert f"ALERTING_SETTINGS['{key}'] cannot be {value!r}." == problems[key].message
    assert hint in problems[key].hint
    assert (
        getattr(found, key.lower())
        == conf.AlertingSettings.model_fields[key.lower()].get_default()
    )


def test_several_wrong_values_are_told_at_once() -> None:
    wrong = {"EMAIL_BATCH_SIZE": 0, "MAX_ALERTS_PER_HOUR": 0, "EVALUATION_INTERVAL": 5}
    with override_settings(ALERTING_SETTINGS=wrong):
        assert len(conf.problems()) == 2
        assert conf.current().evaluation_interval == 5


def test_an_unknown_key_is_told_with_the_one_that_was_meant() -> None:
    problem = only_problem(EMAIL_BATCHSIZE=3)

    assert (problem.kind, problem.key) == ("unknown", "EMAIL_BATCHSIZE")
    assert "Write 'EMAIL_BATCH_SIZE'" in problem.hint
    assert "Choose from ALERT_COOLDOWN_MINUTES" in only_problem(ZZZ=1).hint


@pytest.mark.parametrize("settings", [None, [], "x"])
def test_settings_that_are_no_dictionary_are_the_defaults(settings: object) -> None:
    with override_settings(ALERTING_SETTINGS=settings):
        [problem] = conf.problems()
        assert problem.kind == "shape"
        assert conf.current().max_alerts_per_hour == 10


def test_a_long_value_is_repeated_in_part() -> None:
    assert len(only_problem(RULES="x" * 500).message) < 150


def test_rules_are_dictionaries_texts_functions_and_paths() -> None:
    entries = [
        GOOD,
        {"name": "text", "expr": "m > 1"},
        {"name": "code", "condition": always},
        {"name": "path", "condition": f"{HERE}.always"},
        f"{HERE}.RULE",
    ]
    with override_settings(ALERTING_SETTINGS={"RULES": entries}):
        found = conf.rules()
        assert conf.problems() == ()

    assert [rule.name for rule in found] == ["r", "text", "code", "path", "by_path"]
    assert [type(rule) for rule in found] == [Rule, Rule, CodeRule, CodeRule, Rule]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"name": "x", "metric": "m"}, "rule 'x': threshold is missing"),
        ({"name": "x", "expr": "m >"}, "rule 'x': expr: column 4"),
        ({"name": "x", "condition": "nowhere.to.be.found"}, "ModuleNotFoundError"),
        ("nowhere.rule", "ModuleNotFoundError"),
        (5, "5 is no rule"),
        (GOOD, "rule 'r': there is another rule of this name"),
    ],
)
def test_a_wrong_rule_is_left_out_and_the_others_stay(
    entry: object, message: str
) -> None:
    with override_settings(ALERTING_SETTINGS={"RULES": [GOOD, entry]}):
        [problem] = conf.problems()
        assert [rule.name for rule in conf.rules()] == ["r"]

    assert problem.kind == "rule"
    assert problem.message.startswith("ALERTING_SETTINGS['RULES'][1] is left out: ")
    assert message in problem.message


def test_a_wrong_channel_is_left_out_and_the_others_stay() -> None:
    with override_settings(ALERTING_SETTINGS={"CHANNELS": ["pigeon", "log"]}):
        [problem] = conf.problems()
        assert conf.current().channels == ("log",)

    assert problem.kind == "channel"
    assert "Write 'console', 'email', 'log' or the dotted path" in problem.hint


def test_every_mistake_is_one_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with override_settings(ALERTING_SETTINGS={"EMAIL_BATCH_SIZE": 0}):
        conf.current()
        conf.current()

    assert len(caplog.records) == 1


def test_other_settings_change_nothing() -> None:
    before = conf.current()

    with override_settings(LANGUAGE_CODE="de"):
        assert conf.current() is before


# --- checks -----------------------------------------------------------------------------


def test_good_settings_pass() -> None:
    assert checks.check_settings(None) == []
    assert checks.check_channels(None) == []


def test_each_kind_of_mistake_has_an_id_of_its_own() -> None:
    wrong = {
        "EMAIL_BATCHSIZE": 1,
        "EMAIL_BATCH_SIZE": 0,
        "RULES": [5],
        "CHANNELS": ["pigeon"],
    }
    with override_settings(ALERTING_SETTINGS=wrong):
        ids = [message.id for message in checks.check_settings(None)]
    with override_settings(ALERTING_SETTINGS=5):
        ids += [message.id for message in checks.check_settings(None)]

    assert sorted(ids, key=str) == [f"prs_alerting.E00{n}" for n in (1, 2, 3, 4, 5)]
    assert set(ids) == set(checks.IDS.values())


def test_mail_without_administrators_is_a_warning() -> None:
    with override_settings(ADMINS=[]):
        [warning] = checks.check_channels(None)

    assert warning.id == checks.UNAVAILABLE
    assert "not told by email: ADMINS is empty" in warning.msg


def test_a_channel_of_ones_own_is_checked_too() -> None:
    path = f"{FakeChannel.__module__}.FakeChannel"
    with override_settings(ALERTING_SETTINGS={"CHANNELS": [path]}):
        assert checks.check_settings(None) == []
        assert checks.check_channels(None) == []


def test_a_channel_that_cannot_say_whether_it_works_is_a_warning() -> None:
    channels = ["email", f"{HERE}.BrokenChannel", "log"]
    with override_settings(ALERTING_SETTINGS={"CHANNELS": channels}):
        [warning] = checks.check_channels(None)

    assert warning.id == checks.UNAVAILABLE
    assert (
        warning.msg == "Alerts are not told by fake: unavailable() raised LookupError."
    )


HOOK: dict[str, Any] = {"type": "webhook", "url": "https://example.org/hook"}


def test_a_channel_may_be_described_by_a_dictionary() -> None:
    channels = ["log", {**HOOK, "name": "ops-hook"}]
    with override_settings(ALERTING_SETTINGS={"CHANNELS": channels}):
        log, hook = conf.current().channels
        assert conf.problems() == ()
        assert checks.check_channels(None) == []

    assert log == "log"
    assert repr(hook) == "ChannelEntry(type='webhook', name='ops-hook')"


def test_a_mistake_in_a_channel_names_it_the_option_and_what_to_write() -> None:
    problem = only_problem(CHANNELS=[{**HOOK, "name": "ops-hook", "timeout": 60}])

    assert problem.kind == "channel"
    assert problem.message == (
        "ALERTING_SETTINGS['CHANNELS'] cannot have 'ops-hook': 'timeout' cannot be 60; "
        "write a number of seconds above 0 and up to 10."
    )
    assert problem.hint == "The options of each type are in docs/channels.md."


def test_two_channels_of_one_name_are_a_mistake() -> None:
    problem = only_problem(CHANNELS=[HOOK, HOOK])

    assert "there is another of that name; write a 'name' of its own" in problem.message


@pytest.mark.parametrize("channels", [HOOK, [5, {**HOOK, "secret": "hidden"}]])
def test_channels_that_are_no_list_are_not_repeated(channels: object) -> None:
    problem = only_problem(CHANNELS=channels)

    assert problem.message == "ALERTING_SETTINGS['CHANNELS'] cannot be what it is."


def test_the_address_of_a_dead_mans_switch_is_secret() -> None:
    url = "https://example.org/ping/key"
    with override_settings(ALERTING_SETTINGS={"DEAD_MANS_SWITCH_URL": url}):
        found = conf.current()
    problem = only_problem(DEAD_MANS_SWITCH_URL="example.org/ping/key")

    assert found.dead_mans_switch_url is not None
    assert found.dead_mans_switch_url.url == url
    assert "key" not in repr(found)
    assert "key" not in problem.message
    assert "Write an address such as 'https://host/path', or None." in problem.hint


def test_mail_to_others_than_administrators_is_checked_like_theirs() -> None:
    channels = [{"type": "email", "name": "oncall", "to": "carol@example.org"}]
    backend = "django.core.mail.backends.dummy.EmailBackend"
    with (
        WAYS[-1](backend),
        override_settings(ADMINS=[], ALERTING_SETTINGS={"CHANNELS": channels}),
    ):
        [warning] = checks.check_mail_arrives(None)

    assert warning.id == checks.SINK


TRACE_URL = "https://traces.example/trace/{trace_id}?orgId=1#x"


def test_traces_are_looked_at_where_the_settings_say() -> None:
    with override_settings(ALERTING_SETTINGS={"TRACE_URL_TEMPLATE": TRACE_URL}):
        assert conf.problems() == ()
        assert conf.current().trace_url_template == TRACE_URL


@pytest.mark.parametrize(
    "wrong",
    [
        "https://traces.example/trace/",
        "https://traces.example/trace/{trace}",
        "https://{trace_id}.example/",
        "https://user:s3cret@traces.example/{trace_id}",
        "ftp://traces.example/{trace_id}",
        "javascript:alert('{trace_id}')",
        "/trace/{trace_id}",
        "https://traces.example/a b/{trace_id}",
        "https://traces.example/{trace_id}" + "x" * 1_000,
        5,
    ],
)
def test_what_is_no_address_of_a_trace_is_told_with_what_to_write(
    wrong: object,
) -> None:
    problem = only_problem(TRACE_URL_TEMPLATE=wrong)

    assert problem.key == "TRACE_URL_TEMPLATE"
    assert "with {trace_id} in its path" in problem.hint
    assert "s3cret" not in f"{problem.message} {problem.hint}"
