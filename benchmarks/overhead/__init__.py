"""Added CPU per request: ours, stock OpenTelemetry and its peers over bare Django."""

from __future__ import annotations
