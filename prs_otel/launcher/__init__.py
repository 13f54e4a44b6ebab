"""Where measuring begins: under `opentelemetry-instrument`, or by INSTALLED_APPS alone.

Until the application builds its request handler nothing of Django is imported, so that
a pre-fork master stays as it was and gevent finds nothing it should have patched.
"""

from __future__ import annotations
