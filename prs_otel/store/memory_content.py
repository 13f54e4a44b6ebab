"""What a memory store keeps, and a snapshot of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from prs_otel.store import reset
from prs_otel.store.base import (
    TEXT_REFRESH,
    TEXTS_SHARE,
    Beat,
    Bucket,
    Lease,
    Part,
    Removed,
    Row,
    Tip,
)
from prs_otel.store.validity import encodable

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Text:
    """A statement's text and when it was last used."""

    text: str
    seen_at: float

    @property
    def size(self) -> int:
        """Return the bytes of the text."""
        return len(self.text.encode())


@dataclass(slots=True)
class Content:
    """Everything that is kept. No value in it is ever changed, only replaced."""

    generation: str
    known_since: float
    last_id: int = 0
    rows: dict[int, Row] = field(default_factory=dict)
    buckets: dict[int, Bucket] = field(default_factory=dict)
    marks: dict[str, int] = field(default_factory=dict)
    beats: dict[str, Beat] = field(default_factory=dict)
    texts: dict[str, Text] = field(default_factory=dict)
    rolling: tuple[tuple[int, ...], bytes] | None = None
    lifetime: tuple[int, bytes] | None = None
    leases: dict[str, Lease] = field(default_factory=dict)
    documents: dict[str, bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Return the bytes of all buckets and texts."""
        return _size(self.rows) + _size(self.texts)

    def copy(self) -> Content:
        """Return a snapshot of what readers see."""
        return replace(
            self,
            rows=dict(self.rows),
            buckets=dict(self.buckets),
            beats=dict(self.beats),
            texts=dict(self.texts),
            leases=dict(self.leases),
        )

    def insert(self, bucket: Bucket, replaces: Sequence[int]) -> int:
        """Add a bucket and return its id, which is never given again."""
        self.last_id += 1
        self.buckets[self.last_id] = bucket
        self.rows[self.last_id] = Row(
            id=self.last_id,
            level=bucket.level,
            start=bucket.start,
            end=bucket.end,
            size=bucket.size,
            slowest=dict(bucket.slowest),
            replaces=tuple(replaces),
        )
        return self.last_id

    def add_delta(self, bucket: Bucket, *, seen_at: float) -> None:
        """Add what a worker counted, unless a reset has cut it."""
        at = reset.decode(self.documents.get(reset.DOCUMENT))
        if reset.is_cut(bucket, at=at, seen_at=seen_at):
            self.known_since = max(self.known_since, bucket.end)
        else:
            self.insert(bucket, ())

    def remove(self, ids: Sequence[int]) -> None:
        """Drop buckets, and the lifetime with a delta that is not in it yet."""
        if self.lifetime is not None and any(map(self._is_uncounted, ids)):
            self.lifetime = None
        for number in ids:
            del self.rows[number], self.buckets[number]

    def note_beat(self, beat: Beat) -> None:
        """Keep the latest beat of a worker, safe from later changes to its figures."""
        self.beats[beat.worker] = replace(
            beat, figures=dict(beat.figures), failures=dict(beat.failures)
        )

    def note_text(self, fingerprint: str, text: str, *, seen_at: float) -> None:
        """Keep a text, or the time of its use if the last one noted is old."""
        known = self.texts.get(fingerprint)
        if known is None or seen_at >= known.seen_at + TEXT_REFRESH:
            self.texts[fingerprint] = Text(encodable(text), seen_at)

    def drop(self, ids: Sequence[int]) -> Removed:
        """Remove buckets for good: what was before their end is no longer all known."""
        gone = [self.rows[number] for number in ids]
        self.known_since = max([self.known_since, *(row.end for row in gone)])
        self.remove(ids)
        return Removed(buckets=len(gone), size=sum(row.size for row in gone))

    def reset(self, at: float) -> Removed:
        """Remove everything that was counted; deltas that began before `at` are cut."""
        removed = self.drop(list(self.rows))
        known = reset.decode(self.documents.get(reset.DOCUMENT))
        at = reset.latest(at, known=known)
        self.documents[reset.DOCUMENT] = reset.encode(at)
        self.rolling, self.lifetime, self.known_since = None, None, at
        return removed

    def forget(self, *, texts_before: float, beats_before: float) -> Removed:
        """Drop the texts and the workers last seen before these times."""
        texts = [each for each, t in self.texts.items() if t.seen_at < texts_before]
        gone = [each for each, b in self.beats.items() if b.seen_at < beats_before]
        for fingerprint in texts:
            del self.texts[fingerprint]
        for worker in gone:
            del self.beats[worker]
            self.marks.pop(worker, None)
        return Removed(texts=len(texts), workers=len(gone))

    def evict(self, quota_bytes: int) -> Removed:
        """Drop what is oldest beyond the quota."""
        by_use = sorted(self.texts, key=lambda each: self.texts[each].seen_at)
        texts = _first(
            by_use, self.texts, _size(self.texts) - quota_bytes // TEXTS_SHARE
        )
        for fingerprint in texts:
            del self.texts[fingerprint]
        by_age = sorted(self.rows, key=lambda each: (self.rows[each].end, each))
        ids = _first(by_age, self.rows, self.size - quota_bytes)
        return replace(self.drop(ids), texts=len(texts))

    def _is_uncounted(self, number: int) -> bool:
        return (
            self.lifetime is not None
            and self.rows[number].level == 0
            and number > self.lifetime[0]
        )


class MemoryReader:
    """Read a snapshot."""

    def __init__(self, content: Content) -> None:
        self._content = content

    @property
    def known_since(self) -> float:
        """Return since when this process has kept everything, epoch seconds."""
        return self._content.known_since

    @property
    def generation(self) -> str:
        """Return the identity of the content."""
        return self._content.generation

    def rows(self) -> list[Row]:
        """Return every row, by id."""
        return list(self._content.rows.values())

    def tip(self, now: float) -> Tip:
        """Return where the rows end."""
        rows = self._content.rows
        ends = (row.end for row in rows.values() if row.end <= now)
        return Tip(len(rows), max(rows, default=0), max(ends, default=0.0))

    def read(self, part: Part, ids: Sequence[int]) -> dict[int, bytes]:
        """Return one part of the rows that exist."""
        buckets = self._content.buckets
        return {
            number: _part(buckets[number], part) for number in ids if number in buckets
        }

    def rolling(self) -> tuple[tuple[int, ...], bytes] | None:
        """Return the ids merged into the rolling total, and its cells."""
        return self._content.rolling

    def lifetime(self) -> tuple[int, bytes] | None:
        """Return the newest row in the lifetime, and its cells."""
        return self._content.lifetime

    def texts(self, fingerprints: Collection[str]) -> dict[str, str]:
        """Return the text of each fingerprint that is known."""
        texts = self._content.texts
        return {each: texts[each].text for each in fingerprints if each in texts}

    def beats(self) -> list[Beat]:
        """Return the latest beat of every worker, by name."""
        return [beat for _, beat in sorted(self._content.beats.items())]

    def lease(self, name: str) -> Lease | None:
        """Return the lease as last taken, expired or not; None when released."""
        lease = self._content.leases.get(name)
        return lease if lease is not None and lease.holder else None


def _size(kept: Mapping[Any, Text] | Mapping[Any, Row]) -> int:
    return sum(each.size for each in kept.values())


def _first(
    keys: Sequence[K], kept: Mapping[K, Text] | Mapping[K, Row], excess: int
) -> list[K]:
    """Return as many of the keys as it takes to be rid of the excess."""
    taken = []
    for key in keys:
        if excess <= 0:
            break
        taken.append(key)
        excess -= kept[key].size
    return taken


def _part(bucket: Bucket, part: Part) -> bytes:
    data: bytes = getattr(bucket, part)
    return data
