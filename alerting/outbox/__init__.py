"""Everything between the decision to tell somebody and the attempt to."""

from __future__ import annotations

from alerting.outbox.database import DatabaseBox
from alerting.outbox.journalled import JournalledBox
from alerting.outbox.outbox import Claim, Outbox, Parcel

__all__ = ["Claim", "DatabaseBox", "JournalledBox", "Outbox", "Parcel"]
