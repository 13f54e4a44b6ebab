"""Tasks that Celery's workers work off; CELERY_BROKER_URL says where they are sent."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

from celery import Celery, Task
from django.apps import apps

# Celery makes Django ready, after it has imported this, where it finds this variable.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "library.settings")

app: Any = Celery("library")
_Function = TypeVar("_Function", bound=Callable[..., object])


def task(**options: Any) -> Callable[[_Function], _Function]:
    """Register a task, for type checkers too, which Celery does not help."""
    register: Callable[[_Function], _Function] = app.task(**options)
    return register


app.conf.update(
    task_ignore_result=True,
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
)


@task(name="library.count")
def count() -> int:
    """Run one query."""
    return int(apps.get_model("library.Book").objects.count())


@task(name="library.think")
def think() -> None:
    """Run none."""


@task(name="library.repeat")
def repeat() -> list[str]:
    """Run the same query again and again."""
    return [book.author.name for book in apps.get_model("library.Book").objects.all()]


@task(name="library.fail")
def fail() -> None:
    """Raise what nobody expects."""
    apps.get_model("library.Author").objects.get(name="nobody")


@task(name="library.refuse", throws=(LookupError,))
def refuse() -> None:
    """Raise what everybody expects."""
    message = "out of stock"
    raise LookupError(message)


@task(name="library.try_again", bind=True, max_retries=1)
def try_again(self: Task) -> None:
    """Succeed the second time."""
    if not self.request.retries:
        raise self.retry(countdown=0)
