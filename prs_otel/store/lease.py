"""Decide who gets a lease: the same rule for every store, and no clock but `now`."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import psutil

if TYPE_CHECKING:
    from prs_otel.store.base import Lease

ABSURD_TTLS: Final = 10
"""A lease that claims this many times its length was taken before a clock jumped."""


def granted(
    current: Lease | None, claim: Lease, *, ttl: float, now: float
) -> Lease | None:
    """Return the lease that `claim` obtains over `current`, None when it is held.

    Raises `ValueError` for a nameless holder, and where `ttl` or `now` is no number of
    seconds.
    """
    if not (claim.holder and math.isfinite(now) and 0 < ttl < math.inf):
        message = f"{claim.holder!r} cannot hold a lease at {now} for {ttl} s"
        raise ValueError(message)
    taken = replace(claim, expires_at=now + ttl)
    if current is None:
        return replace(taken, epoch=1)
    if current.holder == claim.holder:
        return replace(taken, epoch=current.epoch)
    if _is_held(current, claim.host, ttl=ttl, now=now):
        return None
    return replace(taken, epoch=current.epoch + 1)


def released(lease: Lease) -> Lease:
    """Return the lease without a holder; its epoch lives on."""
    return replace(lease, holder="", host="", pid=0, expires_at=0.0)


def is_current(lease: Lease | None, epoch: int) -> bool:
    """Tell whether whoever was given `epoch` has been neither replaced nor released."""
    return lease is not None and bool(lease.holder) and lease.epoch == epoch


def _is_held(lease: Lease, host: str, *, ttl: float, now: float) -> bool:
    if not lease.holder or not now < lease.expires_at <= now + ABSURD_TTLS * ttl:
        return False
    return lease.host != host or is_alive(lease.pid)


def is_alive(pid: int) -> bool:
    """Tell whether a process of this host runs, whoever it belongs to."""
    # 0 and below would signal whole process groups; nobody can say who that was.
    if pid <= 0:
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        # Somebody else's process, or nothing that can be checked: wait for the expiry.
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Tell whether it has ended, and its parent has not heard of it yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.ZombieProcess:
        return True
    except psutil.Error:
        return False
