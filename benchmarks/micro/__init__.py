"""The budgets of single parts: processor, leader, view, memory, store file, truth."""

from __future__ import annotations
