"""The management commands, found by Django by their module names."""

from __future__ import annotations
