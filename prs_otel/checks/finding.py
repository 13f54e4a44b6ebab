"""What a check has found: free of Django, so that commands can say it in their own way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ORDER: Final = "prs_otel.W001"
REPEATED: Final = "prs_otel.W002"
ASGI: Final = "prs_otel.W003"
DRIVER: Final = "prs_otel.W004"
UNREACHABLE: Final = "prs_otel.W005"
INSECURE: Final = "prs_otel.W006"
SCRAPE: Final = "prs_otel.W007"

IDS: Final = (ORDER, REPEATED, ASGI, DRIVER, UNREACHABLE, INSECURE, SCRAPE)


@dataclass(frozen=True, slots=True)
class Finding:
    """Say what is wrong in one sentence, and in `hint` what to do about it."""

    id: str
    message: str
    hint: str
