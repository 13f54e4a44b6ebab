"""Everything that is known of a window, record by record, into a file or a pipe."""

from __future__ import annotations
