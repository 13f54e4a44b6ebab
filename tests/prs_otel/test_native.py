from __future__ import annotations

import subprocess
import sys

import pytest

from prs_otel import native

PROGRAM = """
from gevent import monkey
{before}
import _thread, time
from prs_otel import native
{after}
print(type(native.allocate_lock()).__module__, native.start_new_thread.__module__,
      native.sleep.__module__, native.get_ident.__module__, native.new_rlock.__module__)
"""
PATCH = "monkey.patch_all()"


@pytest.mark.parametrize(
    ("before", "after"), [(PATCH, ""), ("", PATCH)], ids=["earlier", "later"]
)
def test_the_primitives_are_the_interpreter_s_own_whenever_gevent_patches(
    before: str, after: str
) -> None:
    pytest.importorskip("gevent")
    program = PROGRAM.format(before=before, after=after)

    output = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    ).stdout

    assert output.split() == ["_thread", "_thread", "time", "_thread", "_thread"]


def test_a_lock_can_be_waited_for_with_a_deadline() -> None:
    lock = native.allocate_lock()

    assert lock.acquire(timeout=0.01)
    assert not lock.acquire(timeout=0.01)
