"""What goes on right now, on a screen that refreshes itself."""

from __future__ import annotations
