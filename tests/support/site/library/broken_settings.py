"""A settings module that cannot be imported, as a user's may be."""

from __future__ import annotations

message = "the site's own mistake"
raise RuntimeError(message)
