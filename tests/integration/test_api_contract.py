"""The demo, under a real server, keeps to its own OpenAPI documents, whatever it is asked.

schemathesis makes up valid and invalid requests for each operation of the documents, the same
ones each time, and judges the answers: status, headers, content type and body as documented.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import CheckFunction, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
)

from tests.support import openapi
from tests.support.demo_site import Demo, serving_demo

pytestmark = pytest.mark.timeout(300)

EXAMPLES: Final = 15
"""Per operation, for valid requests as for invalid ones."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with serving_demo(tmp_path_factory.mktemp("demo")) as found:
        yield found


def operations(demo: Demo, base: str) -> list[Any]:
    """Return the operations of one document, those that change something last."""
    document = demo.client.get(f"{base}openapi.json", **demo.headers).json()
    schema = schemathesis.openapi.from_dict(document)
    found = list(schema.get_all_operations())
    unreadable = [each for each in found if not isinstance(each, Ok)]
    assert unreadable == []
    return sorted(
        (each.ok() for each in found if isinstance(each, Ok)),
        key=lambda each: each.method.upper() not in openapi.SAFE,
    )


@pytest.mark.parametrize("base", openapi.APIS)
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_every_answer_is_as_documented(
    demo: Demo, base: str, mode: GenerationMode
) -> None:
    for operation in operations(demo, base):
        judge(demo, operation, mode)


def judge(demo: Demo, operation: Any, mode: GenerationMode) -> None:
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        database=None,
        deadline=None,
        derandomize=True,
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def answers(case: Any) -> None:
        case.call_and_validate(
            demo.client.url, headers=demo.headers, excluded_checks=unfit(case)
        )

    answers()


def unfit(case: Any) -> list[CheckFunction]:
    """Return the checks that would misjudge a case."""
    # What two fields may not say together cannot be written into a document.
    found: list[CheckFunction] = [positive_data_acceptance]
    # The last of a parameter's values counts, which may well be valid.
    if any(isinstance(value, list) for value in (case.query or {}).values()):
        found.append(negative_data_rejection)
    return found
