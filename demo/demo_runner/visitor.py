"""One visitor: signs in, then opens a page of the phase's mix at every turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo_runner.client import Call
from demo_runner.pages import PAGES, Acquaintance

if TYPE_CHECKING:
    from random import Random

    from demo_runner.client import Client
    from demo_runner.phases import Phase

FOUND = 302


class SignInError(Exception):
    """A visitor was not let in."""


class Visitor:
    """A member of an organisation; belongs to one thread."""

    def __init__(self, client: Client, known: Acquaintance, random: Random) -> None:
        self._client = client
        self._known = known
        self._random = random

    def turn(self, phase: Phase) -> None:
        """Open one page."""
        names = list(phase.mix)
        [name] = self._random.choices(names, list(phase.mix.values()))
        self._client.send(self._known.call(PAGES[name], self._random))


def sign_in(client: Client, username: str, password: str) -> Acquaintance:
    """Sign in through the login page and look at one's deals."""
    client.send(Call("/login/"))
    form = {"username": username, "password": password}
    answer = client.send(Call("/login/", method="POST", form=form))
    deals = client.send(Call("/deals/"))
    if answer is None or answer.status != FOUND or deals is None:
        raise SignInError(username)
    return Acquaintance.from_deals(deals.json())
