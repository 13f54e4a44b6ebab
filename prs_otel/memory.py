"""Give back to the system what Python has freed."""

from __future__ import annotations

from contextlib import suppress


def give_back() -> None:
    """Ask the C library to return unused memory; glibc keeps most of it otherwise.

    Takes some milliseconds in which other threads run. Does nothing elsewhere than on glibc.
    """
    # Neither a process that never reads nor an interpreter built without it should pay for it.
    with suppress(ImportError, OSError):
        import ctypes

        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
