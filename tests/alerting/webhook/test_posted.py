from __future__ import annotations

import pytest

from alerting.rules import Severity
from alerting.webhook.posted import Known, Posted, is_news, link, moment


def alert(*, is_firing: bool, starts_at: float | None = None) -> Posted:
    return Posted("f" * 32, "a", Severity.INFO, "", is_firing, starts_at=starts_at)


FIRES = Known(is_firing=True, starts_at=100.0, ends_at=None)
OVER = Known(is_firing=False, starts_at=100.0, ends_at=200.0)
EXPIRED = Known(is_firing=False, starts_at=100.0, ends_at=None)


@pytest.mark.parametrize(
    ("known", "is_firing", "starts_at", "expected"),
    [
        (None, True, None, True),
        (None, False, None, False),
        (FIRES, True, 100.0, True),
        (FIRES, True, 300.0, True),
        (FIRES, True, 50.0, False),
        (FIRES, False, 100.0, True),
        (FIRES, False, None, True),
        (FIRES, False, 50.0, False),
        (OVER, False, 100.0, False),
        (OVER, True, 100.0, False),
        (OVER, True, 300.0, True),
        (OVER, True, None, True),
        (EXPIRED, True, 100.0, True),
        (EXPIRED, False, 100.0, False),
    ],
)
def test_what_is_late_over_or_unheard_of_is_no_news(
    known: Known | None, is_firing: bool, starts_at: float | None, expected: bool
) -> None:
    posted = alert(is_firing=is_firing, starts_at=starts_at)

    assert is_news(posted, known) is expected


def test_the_zero_time_of_go_is_no_time() -> None:
    assert moment("0001-01-01T00:00:00Z") is None


@pytest.mark.parametrize("text", ["1969-12-31T00:00:00Z", "2300-01-01T00:00:00Z", "x"])
def test_a_time_of_no_year_of_ours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        moment(text)


@pytest.mark.parametrize(
    "text",
    ["ftp://a", "http://a b", "http://a\r\nBcc: x", "https://" + "a" * 2000, 5, None],
)
def test_what_nobody_should_follow_is_no_link(text: object) -> None:
    assert link(text) == ""
