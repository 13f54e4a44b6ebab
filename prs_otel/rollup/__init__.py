"""Aggregate observations in every worker and read them back as one truth.

``recorder`` counts on the request thread, ``codec`` turns a sealed delta into bytes, ``compaction``
and ``retention`` age the stored buckets, and ``view`` merges what all workers stored. Nothing here
knows Django or OpenTelemetry, and nothing reads a clock: ``now`` is always an argument.
"""
