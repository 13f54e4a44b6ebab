"""The small Django project every variant serves: 0, 1 and 10 queries per request."""

from __future__ import annotations
