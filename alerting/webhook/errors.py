"""Why a posted document is not taken."""

from __future__ import annotations

__all__ = ["FieldsError", "PayloadError", "TooLargeError"]


class PayloadError(ValueError):
    """It is no JSON, or of no form that is known."""


class TooLargeError(ValueError):
    """It has more bytes or more alerts than are taken at once."""


class FieldsError(ValueError):
    """Its form is known, and some of its fields are wrong: one text for each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
