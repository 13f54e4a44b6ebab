from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from prs_otel import pipeline
from prs_otel.instrumentation import celery_tasks
from prs_otel.launcher import celery_workers, deferral


class Signal:
    """Keep who listens, as Celery's signals do."""

    def __init__(self) -> None:
        self.receivers: dict[str, Callable[..., object]] = {}

    def connect(
        self, receiver: Callable[..., object], *, weak: bool, dispatch_uid: str
    ) -> None:
        assert not weak
        self.receivers[dispatch_uid] = receiver

    def send(self) -> None:
        for receiver in self.receivers.values():
            receiver(sender=None, signal=self)


@pytest.fixture
def signals() -> Any:
    module: Any = ModuleType("celery.signals")
    for name in (
        "worker_init",
        "worker_process_init",
        "task_prerun",
        "worker_process_shutdown",
    ):
        setattr(module, name, Signal())
    celery_workers._follow(module)
    return module


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, bool]]:
    asked: list[dict[str, bool]] = []
    monkeypatch.setattr(deferral, "begin", lambda **told: asked.append(told))
    return asked


@pytest.mark.parametrize("signal", ["worker_process_init", "task_prerun"])
def test_a_worker_is_measured_before_its_first_task(
    signals: Any, begun: list[dict[str, bool]], signal: str
) -> None:
    getattr(signals, signal).send()

    assert begun == [{"serving": False, "waits": True}]


@pytest.mark.parametrize("django_conf", [None, SimpleNamespace(configured=False)])
def test_a_worker_without_django_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
    signals: Any,
    begun: list[dict[str, bool]],
    django_conf: object,
) -> None:
    module = None if django_conf is None else SimpleNamespace(settings=django_conf)
    monkeypatch.setitem(sys.modules, "django.conf", module)
    signals.worker_process_init.send()

    assert begun == []


def test_a_worker_is_traced_before_its_pool_begins(
    monkeypatch: pytest.MonkeyPatch, signals: Any
) -> None:
    traced: list[bool] = []
    monkeypatch.setattr(celery_tasks, "install", lambda: traced.append(True))
    signals.worker_init.send()

    assert traced == [True]


def test_a_child_that_ends_hands_over_what_it_counted(
    monkeypatch: pytest.MonkeyPatch, signals: Any
) -> None:
    ended: list[bool] = []
    monkeypatch.setattr(pipeline, "shutdown", lambda: ended.append(True))
    signals.worker_process_shutdown.send()

    assert ended == [True]
