"""Run the demo: `python demo/run.py [--duration SECONDS]`."""

from __future__ import annotations

import sys

from demo_runner.program import main

if __name__ == "__main__":
    sys.exit(main())
