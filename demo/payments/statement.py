"""The search for lines that a bank booked twice: the slow query of the demo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection

if TYPE_CHECKING:
    from datetime import date

# Every pair of lines is compared, and no index can help with lower(payer).
FIND_DUPLICATES = """
SELECT first.id, second.id
FROM payments_statementline AS first
JOIN payments_statementline AS second
  ON second.id > first.id
 AND lower(second.payer) = lower(first.payer)
 AND abs(second.amount - first.amount) < 0.01
WHERE first.booked_on >= %s AND second.booked_on >= %s
"""


def find_duplicates(since: date) -> list[tuple[int, int]]:
    """Pair the lines booked since a day that say the same; takes time per pair."""
    with connection.cursor() as cursor:
        cursor.execute(FIND_DUPLICATES, [since, since])
        return list(cursor.fetchall())
