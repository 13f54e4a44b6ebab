"""The command line: `manage_monitoring` and `run_monitoring`."""

from __future__ import annotations
