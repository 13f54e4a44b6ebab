"""The HTTP API over the metrics view, and the documents it shares with the commands."""

from __future__ import annotations
