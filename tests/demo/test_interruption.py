from __future__ import annotations

import signal

import pytest

from demo_runner.interruption import SIGNALS, Interrupted, held, interruptible


@pytest.mark.parametrize("signum", SIGNALS)
def test_a_signal_interrupts(signum: signal.Signals) -> None:
    with pytest.raises(Interrupted) as caught, interruptible():
        signal.raise_signal(signum)
    assert caught.value.signum == signum


def test_a_signal_waits_for_the_end_of_what_must_not_be_interrupted() -> None:
    steps = []
    with pytest.raises(Interrupted), interruptible():  # noqa: PT012
        with held():
            signal.raise_signal(signal.SIGTERM)
            steps.append("finished")
        steps.append("never reached")
    assert steps == ["finished"]


def test_the_handlers_are_as_before_afterwards() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with interruptible():
        pass
    assert [signal.getsignal(number) for number in SIGNALS] == before
