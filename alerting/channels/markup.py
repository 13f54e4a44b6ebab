"""The HTML form of a message: a table per alert, nothing that a mail client may block."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from alerting.alert import Kind
from alerting.notifications.message import brief, facts, plain

if TYPE_CHECKING:
    from alerting.notice import Notice
    from alerting.notifications.message import Message

__all__ = ["html"]


def html(message: Message) -> str:
    """Return `message` as HTML; everything that was measured is escaped."""
    alerts = format_html_join(
        SafeString("<hr>"), "{}", ((_alert(n),) for n in message.shown)
    )
    hidden = len(message.notices) - len(message.shown)
    more = format_html("<p>… and {} more.</p>", hidden) if hidden else ""
    return format_html(
        '<!doctype html><html><body style="font-family: sans-serif">{}{}</body></html>',
        alerts,
        more,
    )


def _alert(notice: Notice) -> SafeString:
    is_over = notice.kind is Kind.RESOLVED
    rows = format_html_join(
        "",
        '<tr><td style="color: #666; padding-right: 1em">{}</td><td>{}</td></tr>',
        ((name, _value(name, value)) for name, value in facts(notice)),
    )
    return format_html(
        "<h3>{}: {}</h3><p>{}</p><table>{}</table>",
        plain(notice.name),
        "resolved" if is_over else notice.severity.value,
        brief(notice.message),
        rows,
    )


def _value(name: str, value: str) -> str:
    """Return a value, the address of a trace as a link: that alone is from the settings."""
    trace, _, url = value.partition(" ")
    if name != "trace" or not url.startswith(("https://", "http://")):
        return value
    return format_html('{} <a href="{}">{}</a>', trace, url, url)
