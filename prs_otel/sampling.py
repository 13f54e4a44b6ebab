"""Record every span, export only those that the user's sampler chose.

The derived metrics must be exact whatever share of the traces is exported, so a span
that the sampler drops is still recorded for our processor, unsampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Link, SpanKind
    from opentelemetry.trace.span import TraceState
    from opentelemetry.util.types import Attributes


class RecordAll(Sampler):
    """Keep the decision of `root` about export, but let no span go unrecorded.

    The SDK's own `AlwaysRecordSampler` loses the attributes a span was started with,
    because the built-in samplers drop them together with the span.
    """

    def __init__(self, root: Sampler) -> None:
        self.root = root

    def should_sample(  # noqa: PLR0913 - the interface of the SDK
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Return the root's result, with a dropped span recorded but not sampled."""
        # The trace state is in the parent's context; samplers written before the
        # parameter existed accept six arguments only.
        result = self.root.should_sample(
            parent_context, trace_id, name, kind, attributes, links
        )
        if result.decision is not Decision.DROP:
            return result
        return SamplingResult(Decision.RECORD_ONLY, attributes, result.trace_state)

    def get_description(self) -> str:
        """Name this sampler and its root."""
        return f"RecordAll{{{self.root.get_description()}}}"


def record_all_spans(provider: object) -> None:
    """Make the tracers that `provider` creates from now on record every span."""
    sampler = getattr(provider, "sampler", None)
    if isinstance(sampler, Sampler) and not isinstance(sampler, RecordAll):
        provider.sampler = RecordAll(sampler)  # type: ignore[attr-defined]
