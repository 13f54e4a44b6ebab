"""Two tables: deals and the organisations that own them."""

from __future__ import annotations

from django.db import models


class Organization(models.Model):
    """Whoever a deal belongs to."""

    name = models.CharField(max_length=80)

    objects: models.Manager[Organization] = models.Manager()

    def __str__(self) -> str:
        return self.name


class Deal(models.Model):
    """Something sold, with an amount and a state to filter by."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE)
    title = models.CharField(max_length=120)
    amount = models.IntegerField()
    state = models.CharField(max_length=12)

    objects: models.Manager[Deal] = models.Manager()

    def __str__(self) -> str:
        return self.title
