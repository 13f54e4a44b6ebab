"""Look at the demo's moments until something has come about."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from demo_runner.frame import Moment
from demo_runner.mails import read_mails
from demo_runner.rates import Recently

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from demo_runner.display import Display
    from demo_runner.readings import View
    from demo_runner.traffic import Traffic


@dataclass(frozen=True, slots=True)
class Watch:
    """Reads the view, and shows what it says."""

    view: View
    traffic: Traffic
    mail_directory: Path
    display: Display
    recently: Recently = field(default_factory=Recently)

    def until(self, is_over: Callable[[Moment], bool]) -> Moment:
        """Show moment after moment; return the one in which it is over."""
        while True:
            moment = self._moment()
            self.display.show(moment)
            if is_over(moment):
                return moment
            time.sleep(self.display.interval)

    def _moment(self) -> Moment:
        reading = self.view.reading()
        return Moment(
            phase=self.traffic.phase(),
            elapsed=self.traffic.elapsed,
            duration=self.traffic.duration,
            reading=reading,
            rates=self.recently.rates(reading.day),
            mails=read_mails(self.mail_directory),
        )
