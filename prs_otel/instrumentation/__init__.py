"""What measures requests, queries, caches and the host. Nothing here knows the rollup."""

from __future__ import annotations
