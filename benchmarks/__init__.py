"""What prs-otel costs: the budgets of the project, measured side by side with its peers."""

from __future__ import annotations
