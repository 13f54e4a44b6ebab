from __future__ import annotations

import os
import pty
import signal
import sys
import termios
from collections.abc import Iterator
from io import StringIO
from types import SimpleNamespace
from typing import IO, Any, NoReturn

import pytest
from django.core.management import CommandError
from rich.console import Console

from prs_otel.management.report import Line
from prs_otel.management.subcommands import top as command
from prs_otel.management.top.keyboard import END, keys
from prs_otel.management.top.live import rendered, watch
from prs_otel.management.top.screen import screen, trouble
from prs_otel.management.top.snapshot import Top, snapshot
from prs_otel.monitoring import registry
from prs_otel.store.base import StoreError
from tests.support.commands import manage_monitoring
from tests.support.measured import Measured, Whose

ALERTS = {
    "items": [
        {"name": "over", "severity": "critical", "resolved_at": "2024-05-06T07:08:09Z"},
        {"name": "deals_errors", "severity": "critical", "message": "Deals fail: 25 %"},
        {"name": "high_cpu_usage", "severity": "warning", "message": "CPU: 85 %"},
    ],
    "count": 3,
}


@pytest.fixture
def busy(measured: Measured) -> Measured:
    registry.register_command_document(registry.ALERTS, lambda _: ALERTS)
    for number in range(30):
        whose = Whose(f"/organisations/<int:organisation>/deals-{number}/<uuid:deal>/")
        measured.request(0.1 + number / 100, whose=whose)
        measured.query(
            0.05 + number / 1_000,
            text=f'SELECT "id" FROM "deals_{number}" WHERE "title" = ?',
        )
    for name in ("cpu", "memory", "filesystem"):
        measured.gauge(f"system.{name}.utilization", 0.456)
    measured.flush({"db.client.connection.count": 3.0})
    return measured


def now_of(measured: Measured) -> Top:
    return snapshot(measured.view, seconds=300, now=measured.now)


def drawn(lines: list[Line], *, width: int = 80, height: int = 24) -> str:
    console = Console(record=True, width=width, height=height, file=StringIO())
    console.print(rendered(lines))
    return console.export_text()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (60, 20), (132, 50), (80, 60)])
def test_a_screen_fits_whatever_is_measured(
    width: int, height: int, busy: Measured
) -> None:
    text = drawn(screen(now_of(busy), width=width, height=height), width=width)
    lines = text.splitlines()

    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    assert "no open alerts" not in text
    assert text.count("\nGET /") >= 4
    assert text.count("\nSELECT … ") >= 4
    assert "critical  deals_errors  Deals fail: 25 %" in text


def test_it_shows_what_an_operator_looks_for_first(busy: Measured) -> None:
    lines = screen(now_of(busy), width=80, height=24)
    text = [line.text for line in lines]

    assert text[0].startswith("22:13:20 UTC  last 5.0 min (")
    assert text[0].endswith("workers 1 on 1  q: quit")
    assert text[3] == (
        "cpu 45.6 %  memory 45.6 %  disk 45.6 %  connections 3  cache hits -"
    )
    assert "over" not in "\n".join(text[-2:])
    assert len(lines) == 24


def test_rates_are_per_second_of_what_is_known(measured: Measured) -> None:
    for _ in range(20):
        measured.request(0.1)
    measured.flush()
    known = now_of(measured)
    window = known.window.model_copy(update={"covered_seconds": 10.0})

    whole = screen(known.model_copy(update={"window": window}), width=80, height=24)
    nothing = known.window.model_copy(update={"covered_seconds": 0.0})
    unknown = screen(known.model_copy(update={"window": nothing}), width=80, height=24)

    assert "requests      2.0/s" in whole[1].text
    assert "requests      0.0/s" in unknown[1].text


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda _: {"items": []}, "no open alerts"),
        (lambda _: 1 / 0, "alerts cannot be read"),
        (None, "or alerting is not installed"),
    ],
)
def test_without_alerts_the_figures_are_shown(
    build: Any, words: str, measured: Measured
) -> None:
    if build is not None:
        registry.register_command_document(registry.ALERTS, build)
    measured.request()
    measured.flush()

    assert words in screen(now_of(measured), width=80, height=24)[-1].text


def test_a_name_from_outside_cannot_steer_the_terminal(measured: Measured) -> None:
    registry.register_command_document(
        registry.ALERTS,
        lambda _: {"items": [{"name": "\x1b[2J[bold]x[/bold]", "severity": "info"}]},
    )
    measured.request(whose=Whose("/\x1b]0;title\x07/"))
    measured.flush()

    text = drawn(screen(now_of(measured), width=80, height=24))

    assert "\x1b" not in text
    assert "\x07" not in text
    # Nor is it taken for markup.
    assert "[bold]x[/bold]" in text


def test_elsewhere_than_on_a_terminal_it_is_printed_once(busy: Measured) -> None:
    outcome = manage_monitoring("top", "--iterations=3")

    assert outcome.exit_code == 0
    assert outcome.text.count("UTC  last 5.0 min") == 1
    assert max(map(len, outcome.text.splitlines())) <= 80


def test_a_longer_stretch_can_be_asked_for(busy: Measured) -> None:
    assert "UTC  last 1.0 h" in manage_monitoring("top", "--minutes=60").text


def test_json_has_all_rows(busy: Measured) -> None:
    document = manage_monitoring("top", "--format=json").json()

    assert len(document["endpoints"]) == 30
    assert [alert["name"] for alert in document["alerts"]] == [
        "deals_errors",
        "high_cpu_usage",
    ]


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--minutes=0", "minutes above 0 and up to 1440"),
        ("--minutes=nan", "minutes above 0"),
        ("--minutes=1441", "minutes above 0"),
        ("--interval=0.1", "seconds from 0.2 to 3600"),
        ("--interval=x", "seconds from 0.2"),
        ("--iterations=0", "whole number, 1 or more"),
        ("--iterations=1.5", "whole number"),
    ],
)
@pytest.mark.usefixtures("measured")
def test_numbers_out_of_bounds_are_refused(option: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        manage_monitoring("top", option)


# --- On a terminal --------------------------------------------------------------------


class Pressed:
    """Somebody at the keyboard who presses one key after another."""

    def __init__(self, *names: str) -> None:
        self.names = list(names)
        self.waited: list[float] = []

    def __call__(self, seconds: float) -> str:
        self.waited.append(seconds)
        return self.names.pop(0)


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    for name, value in {"COLUMNS": "80", "LINES": "24", "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    return Terminal()


def hello(width: int, height: int) -> list[Line]:
    return [Line(f"hello {width}x{height}")]


ENTERS, LEAVES = "\x1b[?1049h", "\x1b[?1049l"


def test_q_ends_it_and_the_screen_is_given_back(terminal: Terminal) -> None:
    pressed = Pressed("", "x", "q")

    watch(hello, out=terminal, wait=pressed, interval=2.0, iterations=None)

    text = terminal.getvalue()
    assert text.count("hello 80x24") == 3
    assert text.startswith(ENTERS)
    assert LEAVES in text
    assert pressed.waited == [2.0] * 3


def test_it_ends_after_as_many_screens_as_were_asked_for(terminal: Terminal) -> None:
    watch(hello, out=terminal, wait=Pressed(""), interval=2.0, iterations=2)

    assert terminal.getvalue().count("hello") == 2


def test_whatever_happens_the_screen_is_given_back(terminal: Terminal) -> None:
    def interrupt(seconds: float) -> NoReturn:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watch(hello, out=terminal, wait=interrupt, interval=2.0, iterations=None)

    assert LEAVES in terminal.getvalue()


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Be a terminal at the other end of standard input."""
    other_end, own_end = pty.openpty()
    with os.fdopen(own_end) as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        yield other_end
    os.close(other_end)


def test_keys_come_one_by_one_and_the_terminal_is_left_as_it_was(stdin: int) -> None:
    before = termios.tcgetattr(sys.stdin)

    with keys(sys.stdin) as wait:
        assert termios.tcgetattr(sys.stdin) != before
        assert wait(0.0) == ""
        os.write(stdin, b"q")
        assert wait(5.0) == "q"

    assert termios.tcgetattr(sys.stdin) == before


def test_without_a_keyboard_time_passes_all_the_same() -> None:
    stream: IO[str] = StringIO()

    with keys(stream) as wait:
        assert wait(0.0) == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_being_told_to_end_is_a_key_and_twice_an_interruption(number: int) -> None:
    before = signal.getsignal(number)

    with keys(StringIO()) as wait:
        signal.raise_signal(number)
        assert wait(5.0) == END
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)

    assert signal.getsignal(number) is before


def test_being_told_to_end_comes_before_what_was_typed(stdin: int) -> None:
    with keys(sys.stdin) as wait:
        os.write(stdin, b"x")
        signal.raise_signal(signal.SIGTERM)

        assert wait(5.0) == END


def test_a_terminal_that_is_gone_ends_it() -> None:
    other_end, own_end = pty.openpty()
    with os.fdopen(own_end) as stream, keys(stream) as wait:
        os.close(other_end)

        assert wait(5.0) == END


def on_terminal(*arguments: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, int]:
    """Run `top` as on a terminal; return what it drew, and its exit code."""
    monkeypatch.setattr(command, "_is_live", lambda options: True)
    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    code = manage_monitoring("top", *arguments).exit_code
    return out.getvalue(), code


@pytest.mark.usefixtures("terminal", "stdin")
def test_the_command_draws_the_figures(
    busy: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "time", SimpleNamespace(time=lambda: busy.now))

    text, code = on_terminal("--iterations=1", monkeypatch=monkeypatch)

    assert code == 0
    assert "critical  deals_errors" in text
    assert "SELECT … FROM deals_29" in text


@pytest.mark.usefixtures("terminal")
def test_q_ends_the_command(
    busy: Measured, stdin: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.write(stdin, b"q")

    _, code = on_terminal(monkeypatch=monkeypatch)

    assert code == 0


@pytest.mark.usefixtures("terminal")
def test_ctrl_c_ends_the_command_without_a_word(
    busy: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr("prs_otel.management.top.live.watch", interrupt)
    monkeypatch.setattr(sys, "stdin", StringIO())

    assert on_terminal(monkeypatch=monkeypatch) == ("", 0)


@pytest.mark.usefixtures("terminal", "stdin")
def test_a_store_that_fails_meanwhile_is_said_and_tried_again(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise StoreError("the disk is full")

    monkeypatch.setattr(command, "snapshot", fail)

    text, code = on_terminal("--iterations=1", monkeypatch=monkeypatch)

    assert code == 0
    assert "The store cannot be read: the disk is full. Trying again; q ends." in text
    assert len(trouble("x" * 200, width=80)[0].text) == 80


@pytest.mark.usefixtures("terminal", "measured")
def test_without_rich_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich", None)

    with pytest.raises(CommandError, match=r"pip install 'prs-otel\[cli\]'") as caught:
        on_terminal(monkeypatch=monkeypatch)

    assert caught.value.returncode == 2


@pytest.mark.parametrize(
    ("is_terminal", "term", "format_", "is_live"),
    [
        (True, "xterm", "table", True),
        (True, "dumb", "table", False),
        (True, "xterm", "json", False),
        (False, "xterm", "table", False),
    ],
)
def test_it_is_live_on_a_terminal_that_can_be_drawn_on(
    is_terminal: bool,
    term: str,
    format_: str,
    is_live: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", term)
    out = Terminal() if is_terminal else StringIO()

    assert command._is_live({"stdout": out, "format": format_}) is is_live
