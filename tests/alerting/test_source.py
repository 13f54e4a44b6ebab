from __future__ import annotations

from alerting.source import MetricSource
from tests.support.alerting_source import FakeSource


def test_whoever_answers_the_questions_is_a_source() -> None:
    assert isinstance(FakeSource(), MetricSource)
