"""One table for records of every kind: the columns of the CSV, from the documents' fields."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, get_args

from pydantic import BaseModel

from prs_otel.management.export.sections import RECORDS

RECORD: Final = "record"
"""The first column: which section a row is of."""

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def columns() -> list[str]:
    """Return the name of every column, each section's own in its order."""
    names = {RECORD: None}
    for document in RECORDS.values():
        names |= dict.fromkeys(_names(document))
    return list(names)


def columns_of(document: type[BaseModel]) -> list[str]:
    """Return the columns that records of this kind have a value for."""
    return list(_names(document))


def cells(document: BaseModel) -> dict[str, str]:
    """Return the values of a record by column; what is not known is empty."""
    return dict(_cells(document))


def _names(document: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in document.model_fields.items():
        nested = _nested(field.annotation)
        if nested is None:
            yield f"{prefix}{name}"
        else:
            yield from _names(nested, f"{prefix}{name}_")


def _nested(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - any annotation
    """Return the document that a field holds, be it optional; a list is one value."""
    for each in (annotation, *get_args(annotation)):
        is_list = annotation is not each and getattr(annotation, "__origin__", None)
        if isinstance(each, type) and issubclass(each, BaseModel) and not is_list:
            return each
    return None


def _cells(document: BaseModel, prefix: str = "") -> Iterator[tuple[str, str]]:
    for name in type(document).model_fields:
        value = getattr(document, name)
        if isinstance(value, BaseModel):
            yield from _cells(value, f"{prefix}{name}_")
        elif value is not None:
            yield f"{prefix}{name}", _text(value)


def _text(value: object) -> str:
    if isinstance(value, str):
        # A spreadsheet would run what begins like this, and tenants choose their own names.
        return f"'{value}" if value.startswith(_FORMULA) else value
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, list):
        return json.dumps([_plain(each) for each in value], ensure_ascii=False)
    return str(value)


def _plain(value: object) -> object:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value
