"""Write the sections of an export as CSV, JSON or one JSON document per line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from prs_otel.management.export.columns import RECORD, cells, columns

if TYPE_CHECKING:
    from pydantic import BaseModel

    from prs_otel.management.export.sections import Sections

Write = Callable[[str], object]

_SINGLE: Final = "totals"
"""The section that is one record, not a list of them."""


class _Stream:
    """What the csv module wants to write to."""

    def __init__(self, write: Write) -> None:
        self.write = write


def write_csv(sections: Sections, write: Write) -> int:
    """Write one table for all sections; return how many records there were."""
    writer = csv.DictWriter(_Stream(write), columns(), lineterminator="\n")
    writer.writeheader()
    count = 0
    for name, records in sections:
        for record in records:
            writer.writerow({RECORD: name, **cells(record)})
            count += 1
    return count


def write_ndjson(sections: Sections, write: Write) -> int:
    """Write a document per record and line; return how many records there were."""
    count = 0
    for name, records in sections:
        for record in records:
            write(f"{_json({RECORD: name, **record.model_dump(mode='json')})}\n")
            count += 1
    return count


def write_json(sections: Sections, write: Write) -> int:
    """Write one document with a list for each section; return how many records there were."""
    count, before = 0, "{\n"
    for name, records in sections:
        if name == _SINGLE:
            (record,) = records
            write(f"{before}{_json(name)}: {_document(record)}")
            count += 1
        else:
            write(f"{before}{_json(name)}: [")
            between = "\n"
            for record in records:
                write(f"{between}{_document(record)}")
                between = ",\n"
                count += 1
            write("]")
        before = ",\n"
    write("\n}\n")
    return count


FORMATS: Final[dict[str, Callable[[Sections, Write], int]]] = {
    "json": write_json,
    "csv": write_csv,
    "ndjson": write_ndjson,
}


def _document(record: BaseModel) -> str:
    return _json(record.model_dump(mode="json"))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
