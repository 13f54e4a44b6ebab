from __future__ import annotations

import io
import sys

import pytest

from alerting.channels import DeliveryError
from alerting.channels.console import ConsoleChannel
from tests.support.notices import message


def test_the_whole_message_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    ConsoleChannel().send(message())

    assert "deals_errors: critical (firing)\n" in capsys.readouterr().err


@pytest.mark.parametrize("closed", [True, False])
def test_a_process_without_standard_error_cannot_tell(
    closed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.StringIO()
    stream.close()
    monkeypatch.setattr(sys, "stderr", stream if closed else None)

    with pytest.raises(DeliveryError, match="cannot be written"):
        ConsoleChannel().send(message())
