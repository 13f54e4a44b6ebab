"""Tell the log: one line per alert on the logger `alerting`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from alerting.notifications.message import line
from alerting.rules import Severity

if TYPE_CHECKING:
    from alerting.notice import Notice
    from alerting.notifications.message import Message

__all__ = ["LogChannel"]

logger = logging.getLogger("alerting")

_LEVELS: Final = {
    Severity.INFO: logging.INFO,
    Severity.WARNING: logging.WARNING,
    Severity.ERROR: logging.ERROR,
    Severity.CRITICAL: logging.CRITICAL,
}


class LogChannel:
    """The logger `alerting`, for files and for whatever collects logs."""

    name = "log"

    def unavailable(self) -> str:
        """Return "": there is always a log."""
        return ""

    def recipients(self) -> tuple[str, ...]:
        """Return the logger's name."""
        return (logger.name,)

    def send(self, message: Message) -> tuple[str, ...]:
        """Write every alert, also those a mail would only count."""
        for notice in message.notices:
            logger.log(
                _level(notice, is_resolution=message.is_resolution),
                "%s",
                line(notice),
                extra={"alert": notice.to_json()},
            )
        return self.recipients()


def _level(notice: Notice, *, is_resolution: bool) -> int:
    # Whoever keeps only warnings must see that an alert is over, too.
    return logging.WARNING if is_resolution else _LEVELS[notice.severity]
