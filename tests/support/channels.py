"""Every channel of the package, each with a service that behaves as badly as told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from alerting.channels import Channel, build_channel
from alerting.channels import email as email_module
from tests.support.mailing import SMTP, WAYS
from tests.support.programs import require
from tests.support.receiver import Receiver, receiver
from tests.support.servers import free_port
from tests.support.smtp import Mailbox, mail_server

SECRET: Final = "a-password-nobody-may-read"

REMOTE: Final = ("alertmanager", "apprise", "email", "webhook")
"""Those that talk to somebody over the network."""

_POSTING: Final[dict[str, Callable[[str], dict[str, Any]]]] = {
    "alertmanager": lambda host: {"url": f"http://user:{SECRET}@{host}/{SECRET}"},
    "apprise": lambda host: {
        "url": f"json://user:{SECRET}@{host}/{SECRET}?cto=1&rto=1"
    },
    "webhook": lambda host: {
        "url": f"http://user:{SECRET}@{host}/{SECRET}?token={SECRET}",
        "secret": SECRET,
    },
}


@dataclass
class Case:
    """A channel and what it talks to; `service` is None for what stays on this host."""

    channel: Channel
    service: Receiver | Mailbox | None
    url: str = ""

    def answers(self, status: int) -> None:
        """Have the service refuse for good (4xx) or for now (5xx), as HTTP has it."""
        if isinstance(self.service, Receiver):
            self.service.status = status
            self.service.body = SECRET.encode()
        elif isinstance(self.service, Mailbox):
            # In mail the two are the other way round.
            code = 451 if status >= 500 else 554
            self.service.replies["END"] = f"{code} no"

    def hangs(self) -> None:
        """Have the service take everything and answer nothing."""
        assert self.service is not None
        self.service.hangs = threading.Event()

    def heard(self) -> int:
        """How much has reached the service."""
        if isinstance(self.service, Receiver):
            return sum(len(each.body) for each in self.service.requests)
        if isinstance(self.service, Mailbox):
            return sum(len(each.as_bytes()) for each in self.service.mails)
        return 0


@contextmanager
def case(kind: str, *, timeout: float = 5.0, is_there: bool = True) -> Iterator[Case]:
    """Build the channel of that kind; unless it `is_there` nobody listens."""
    if kind == "apprise":
        require(kind)
    with ExitStack() as stack:
        if kind == "email":
            mailbox = stack.enter_context(mail_server())
            port = mailbox.port if is_there else free_port()
            stack.enter_context(WAYS[-1](SMTP, host="127.0.0.1", port=port))
            before = email_module.TIMEOUT
            stack.callback(setattr, email_module, "TIMEOUT", before)
            vars(email_module)["TIMEOUT"] = timeout
            yield Case(build_channel(kind), mailbox)
        elif kind in _POSTING:
            server = stack.enter_context(receiver())
            host = server.host if is_there else f"127.0.0.1:{free_port()}"
            options = _POSTING[kind](host)
            if kind != "apprise":
                options["timeout"] = timeout
            channel: Any = build_channel({"type": kind, **options})
            if kind == "apprise":
                channel._timeout = timeout
            yield Case(channel, server, options["url"])
        else:
            yield Case(build_channel(kind), None)
