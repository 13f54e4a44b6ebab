"""A small project that integration tests serve as real processes."""

from __future__ import annotations
