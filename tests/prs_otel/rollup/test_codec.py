from __future__ import annotations

import json
import logging
import sys
import zlib
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prs_otel.rollup import codec, salvage, series
from prs_otel.rollup.cell import Cell
from prs_otel.rollup.cells import Cells
from prs_otel.rollup.gauge import Gauges, reading
from prs_otel.rollup.sample import Code, Sample

labels = st.tuples(st.text(max_size=20), st.sampled_from(["GET", "POST"]))
durations = st.lists(st.integers(0, 2**40), min_size=1, max_size=20)


def figures(cells: Cells) -> dict[str, dict[series.Labels, tuple[object, ...]]]:
    return {
        kind: {
            labels: tuple(getattr(cell, name) for name in Cell.__slots__)
            for labels, cell in of_kind.items()
        }
        for kind, of_kind in cells.by_kind.items()
    }


def sample(**changes: object) -> Sample:
    fields: dict[str, object] = {
        "kind": series.QUERY,
        "duration": 1.5,
        "at": 1_000.0,
        "trace_id": "a" * 32,
        "span_id": "b" * 16,
        "endpoint": "/deals/",
        "task": None,
        "method": "GET",
        "status_code": 200,
        "organization_id": "7",
        "user_id": None,
        "query_count": 0,
        "query_duration": 0.0,
        "fingerprint": "f" * 16,
        "alias": "default",
        "code": Code("deals/views.py", 12, "listing"),
        "is_error": False,
    }
    return Sample(**{**fields, **changes})  # type: ignore[arg-type]


@given(st.dictionaries(labels, durations, min_size=1, max_size=8))
def test_cells_survive_the_way_to_bytes_and_back(
    observed: dict[tuple[str, str], list[int]],
) -> None:
    cells = Cells(100)
    for key, values in observed.items():
        for value in values:
            cells.cell(series.REQUEST, key).observe(value, is_error=value % 2 == 0)
    cells.count(series.CACHE_HITS, ("default",), 3)

    decoded = codec.decode_cells(codec.encode_cells(cells), limit=100)

    assert figures(decoded) == figures(cells)
    assert decoded.counters == cells.counters


@given(
    st.lists(st.dictionaries(labels, durations, max_size=6), min_size=1, max_size=4),
    st.integers(1, 8),
)
def test_stored_cells_are_merged_as_cells_would_be(
    buckets: list[dict[tuple[str, str], list[int]]], limit: int
) -> None:
    expected, merged = Cells(limit), Cells(limit)
    for observed in buckets:
        cells = Cells(100)
        for key, values in observed.items():
            for value in values:
                cells.cell(series.REQUEST, key).observe(value, is_slow=value > 9)
            cells.count(series.CACHE_HITS, key[:1], len(values))
        expected.merge(cells)
        codec.read_cells(codec.encode_cells(cells)).merge_into(merged)

    assert figures(merged) == figures(expected)
    assert merged.counters == expected.counters
    assert merged.folded == expected.folded


def test_nothing_takes_no_bytes() -> None:
    empty = Cells(1)
    empty.cell(series.REQUEST, ("/", "GET"))
    empty.count(series.CACHE_HITS, ("default",), 0)

    assert codec.encode_cells(empty) == b""
    assert codec.decode_cells(b"", limit=1).is_empty()
    assert codec.encode_samples({}) == b""
    assert codec.decode_samples(b"") == []
    assert codec.encode_gauges({}) == b""
    assert codec.decode_gauges(b"") == {}


def test_a_series_that_holds_a_place_beside_what_is_folded_keeps_it() -> None:
    cells = Cells(2)
    cells.cell(series.REQUEST, ("/", "GET"))
    cells.cell(series.REQUEST, series.other(series.REQUEST)).observe(1)

    decoded = codec.decode_cells(codec.encode_cells(cells), limit=2)

    assert figures(decoded) == figures(cells)


def test_sums_that_no_integer_column_holds_are_stored_as_the_largest() -> None:
    cells = Cells(1)
    cell = cells.cell(series.REQUEST, ("/", "GET"))
    for _ in range(3):
        cell.observe(2**62)

    decoded = codec.decode_cells(codec.encode_cells(cells), limit=1)

    stored = decoded.by_kind[series.REQUEST]["/", "GET"]
    assert (stored.count, stored.maximum, stored.total) == (3, 2**62, 2**63 - 1)


def test_bytes_of_a_machine_of_the_other_byte_order_are_understood() -> None:
    cells = Cells(1)
    cells.cell(series.REQUEST, ("/", "GET")).observe(1_000)
    payload = zlib.decompress(codec.encode_cells(cells))
    length = int.from_bytes(payload[:4], "little")
    header = json.loads(payload[4 : 4 + length])
    header["byteorder"] = "big" if sys.byteorder == "little" else "little"
    text = json.dumps(header).encode()
    columns = payload[4 + length :]
    swapped = b""
    for typecode, size in [("q", 8)] * 11 + [("H", 2)] * 2 + [("q", 8)]:
        column: array[int] = array(typecode, columns[:size])
        column.byteswap()
        swapped += column.tobytes()
        columns = columns[size:]
    foreign = zlib.compress(len(text).to_bytes(4, "little") + text + swapped)

    assert figures(codec.decode_cells(foreign, limit=1)) == figures(cells)


@given(st.binary(min_size=1, max_size=200))
def test_damaged_bytes_are_an_error_of_ours(data: bytes) -> None:
    for decode in (codec.decode_samples, codec.decode_gauges):
        with pytest.raises(codec.CodecError):
            decode(data)
    with pytest.raises(codec.CodecError):
        codec.decode_cells(data, limit=1)


def test_a_bucket_cut_short_is_an_error_of_ours() -> None:
    cells = Cells(1)
    cells.cell(series.REQUEST, ("/", "GET")).observe(1_000)
    payload = zlib.decompress(codec.encode_cells(cells))

    with pytest.raises(codec.CodecError, match="cut short"):
        codec.decode_cells(zlib.compress(payload[:-1]), limit=1)


def test_what_is_damaged_is_left_out_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, logger="prs_otel"):
        assert salvage.cells(b"?") is None
        assert salvage.samples(b"?") == []
        assert salvage.gauges(b"?") == {}

    assert len(caplog.records) == 3


def test_samples_survive_the_way_to_bytes_and_back() -> None:
    samples = [sample(), sample(code=None, endpoint=None)]

    assert (
        codec.decode_samples(codec.encode_samples({series.QUERY: samples})) == samples
    )


def test_gauges_survive_the_way_to_bytes_and_back() -> None:
    gauges: Gauges = {("system.cpu.utilization", ("web-1",)): reading(0.5, 1_000.0)}

    assert codec.decode_gauges(codec.encode_gauges(gauges)) == gauges
