"""What Prometheus reads from any one worker: counters over all workers, by OTLP's names.

`exposition` alone needs the extra `prometheus`; nothing else here imports its library.
"""
