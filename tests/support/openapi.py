"""Every operation of the two APIs, as their own OpenAPI documents list them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.support.http import Client

NO_ONES_ID: Final = "00000000-0000-4000-8000-000000000000"
APIS: Final = ("/api/monitoring/", "/api/alerting/")
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, and the parameters its query string may have."""

    method: str
    path: str
    parameters: tuple[str, ...]

    @property
    def is_safe(self) -> bool:
        return self.method in SAFE

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def operations(client: Client, headers: Mapping[str, str]) -> list[Operation]:
    """Return all operations; `headers` are those of somebody who may read the documents."""
    found: list[Operation] = []
    for base in APIS:
        response = client.get(f"{base}openapi.json", **headers)
        assert response.status == 200, response.text
        found += _operations(response.json())
    return found


def _operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        for method, described in item.items():
            # What may exist by its form, where a path names an object.
            filled = re.sub(r"\{[^}]*\}", _identifier(described), path)
            names = tuple(
                parameter["name"]
                for parameter in described.get("parameters", ())
                if parameter["in"] == "query"
            )
            yield Operation(method.upper(), filled, names)


def _identifier(described: Mapping[str, Any]) -> str:
    in_path = [each for each in described["parameters"] if each["in"] == "path"]
    forms = {each["schema"].get("format") for each in in_path}
    return NO_ONES_ID if "uuid" in forms else "1"
