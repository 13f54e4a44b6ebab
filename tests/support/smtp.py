"""A mail server on port 0 that keeps what it accepts, and behaves as badly as told."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage


@dataclass
class Mailbox:
    """What has been accepted; `replies` are given instead of 250, by command.

    `refused` are replies to single recipients. While it `hangs` it greets nobody; while it
    is `mute` it takes a mail and does not say so.
    """

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    connections: int = 0
    hangs: threading.Event | None = None
    mute: threading.Event | None = None

    def recovers(self) -> None:
        """Let go of whoever waits, and answer from now on."""
        waiting, self.hangs, self.mute = (self.hangs, self.mute), None, None
        for each in waiting:
            if each is not None:
                each.set()

    def accept(self, data: bytes) -> None:
        message = email.message_from_bytes(data, policy=email.policy.default)
        self.mails.append(message)


class _Conversation(socketserver.StreamRequestHandler):
    mailbox: Mailbox

    def handle(self) -> None:
        self.mailbox.connections += 1
        if (hangs := self.mailbox.hangs) is not None:
            hangs.wait(30)
            return
        self._say(self.mailbox.replies.get("GREETING", "220 ready"))
        while line := self.rfile.readline():
            command = line.split(b":")[0].decode().strip().upper()
            if not self._answer(command, line):
                return

    def _answer(self, command: str, line: bytes) -> bool:
        word = command.split(maxsplit=1)[0] if command else ""
        if word == "QUIT":
            self._say("221 bye")
            return False
        reply = self.mailbox.replies.get(word, "250 fine")
        if word == "RCPT" and reply.startswith("250"):
            reply = self._recipient(line.decode().split("<")[1].split(">")[0])
        if word == "DATA" and reply.startswith("250"):
            self._say("354 go on")
            self.mailbox.accept(self._data())
            if (mute := self.mailbox.mute) is not None:
                mute.wait(30)
                return False
            reply = self.mailbox.replies.get("END", "250 accepted")
        if reply == "hang up":
            return False
        self._say(reply)
        return True

    def _recipient(self, address: str) -> str:
        if address in self.mailbox.refused:
            return self.mailbox.refused[address]
        self.mailbox.recipients.append(address)
        return "250 fine"

    def _data(self) -> bytes:
        lines: list[bytes] = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return b"".join(lines)

    def _say(self, reply: str) -> None:
        self.wfile.write(f"{reply}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """Serve a mailbox for as long as the block lasts."""
    mailbox = Mailbox()
    handler = type("Conversation", (_Conversation,), {"mailbox": mailbox})
    with _Server(("127.0.0.1", 0), handler) as server:
        mailbox.port = server.server_address[1]
        thread = threading.Thread(
            target=server.serve_forever, args=(0.01,), daemon=True
        )
        thread.start()
        try:
            yield mailbox
        finally:
            mailbox.recovers()
            server.shutdown()
            thread.join()
