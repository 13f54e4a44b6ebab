from __future__ import annotations

from alerting.alert import Kind
from alerting.notifications.batching import choose, in_turn
from tests.support.notices import telling

RESOLVED = {"kind": Kind.RESOLVED, "sequence": 2}


def test_nothing_due_is_no_message() -> None:
    assert choose([], size=5) == ()


def test_a_message_has_up_to_so_many_tellings_of_one_channel() -> None:
    mails = [telling(key=str(n)) for n in range(3)]
    logs = [telling(key="log", channel="log")]

    assert choose([mails[0], *logs, *mails[1:]], size=2) == (mails[0], mails[1])


def test_alarms_and_resolutions_are_different_messages() -> None:
    alarm, over = telling(key="a"), telling(key="b", **RESOLVED)

    assert choose([over, alarm], size=5) == (over,)


def test_resolutions_for_different_people_are_different_messages() -> None:
    one = telling(key="a", recipients=("alice",), **RESOLVED)
    two = telling(key="b", recipients=("bob",), **RESOLVED)

    assert choose([one, two], size=5) == (one,)


def test_alarms_go_to_whoever_is_there_now() -> None:
    one, two = telling(key="a", recipients=("alice",)), telling(key="b")

    assert choose([one, two], size=5) == (one, two)


def test_what_was_tried_together_stays_together_whatever_the_size() -> None:
    tried = [telling(key=str(n), batch="x") for n in range(3)]
    fresh = telling(key="new")

    assert choose([tried[0], fresh, *tried[1:]], size=2) == tuple(tried)
    assert choose([fresh, *tried], size=5) == (fresh,)


def test_what_happened_first_is_told_first() -> None:
    alarm, over = telling(), telling(key="b", **RESOLVED)
    place = (alarm.alert_id, alarm.channel)

    assert in_turn([over, alarm], {place: 1}) == [alarm]
    assert in_turn([over], {place: 2}) == [over]
    assert in_turn([over], {}) == [over]
