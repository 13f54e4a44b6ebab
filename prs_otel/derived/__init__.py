"""The derived metrics as OpenTelemetry instruments: what the rollup counted, for collectors.

Each worker exports what it has counted itself, with the rest of its telemetry. It is fed by the
deltas that also go to the store, in the background thread, so a request pays nothing for it.
"""
