"""Why there is no data: what was found, how bad it is, and what to do about it.

Each module examines one side of it; `examined` carries all of them out.
"""

from __future__ import annotations

from prs_otel.diagnosis.examination import examined
from prs_otel.diagnosis.finding import Finding
from prs_otel.diagnosis.surroundings import Surroundings, look_around

__all__ = ["Finding", "Surroundings", "examined", "look_around"]
