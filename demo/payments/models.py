"""What a business that receives payments keeps."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models


class Organization(models.Model):
    """A tenant."""

    objects: ClassVar[models.Manager[Organization]]

    name = models.CharField(max_length=100, unique=True)

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """Somebody who works for an organisation, or for the site itself."""

    organization = models.ForeignKey(
        Organization, models.CASCADE, null=True, blank=True, related_name="members"
    )


class Deal(models.Model):
    """Money an organisation is owed."""

    objects: ClassVar[models.Manager[Deal]]

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="deals")
    customer = models.CharField(max_length=100)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.customer}: {self.amount}"


class Payment(models.Model):
    """Money received for a deal."""

    objects: ClassVar[models.Manager[Payment]]

    deal = models.ForeignKey(Deal, models.CASCADE, related_name="payments")
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    received_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.amount} on {self.received_at:%x}"


class StatementLine(models.Model):
    """A line of a bank statement, as imported: nobody thought of an index."""

    objects: ClassVar[models.Manager[StatementLine]]

    payer = models.CharField(max_length=100)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    booked_on = models.DateField()

    def __str__(self) -> str:
        return f"{self.booked_on} {self.payer}: {self.amount}"
