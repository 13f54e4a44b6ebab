"""The tables of prs_otel: only what people decide, never what was measured."""

from __future__ import annotations
