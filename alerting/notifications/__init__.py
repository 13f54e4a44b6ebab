"""How alerts become messages, and when they do not."""

from __future__ import annotations
