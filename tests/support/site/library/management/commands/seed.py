"""Fill the site's database."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from library.models import Author, Book


class Command(BaseCommand):
    """Write ten authors with one book each."""

    help = "Write ten authors with one book each."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        authors = Author.objects.bulk_create(
            Author(name=f"Author {number}") for number in range(10)
        )
        Book.objects.bulk_create(
            Book(title=f"Book {number}", author=author, pages=100 + number)
            for number, author in enumerate(authors)
        )
