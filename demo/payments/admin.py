"""The demo's data in Django's administration."""

from __future__ import annotations

from django.contrib import admin

from payments.models import Deal, Organization, Payment, User

admin.site.register([Deal, Organization, Payment, User])
