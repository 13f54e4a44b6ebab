"""Settings of the measured project; a variant changes them through ``SITE_*`` variables only."""

from __future__ import annotations

import json
import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent
SECRET_KEY = "measured-on-loopback-only"  # noqa: S105 -- protects nothing
ALLOWED_HOSTS = ["*"]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = os.environ.get("SITE_URLCONF", "benchmarks.site.urls")

INSTALLED_APPS = [
    *os.environ.get("SITE_APPS", "").split(),
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "benchmarks.site",
]
MIDDLEWARE = [
    *os.environ.get("SITE_FIRST_MIDDLEWARE", "").split(),
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    *os.environ.get("SITE_LAST_MIDDLEWARE", "").split(),
]
DATABASES = {
    "default": {
        "ENGINE": os.environ.get("SITE_ENGINE", "django.db.backends.sqlite3"),
        "NAME": os.environ.get("SITE_DATABASE", ":memory:"),
        "CONN_MAX_AGE": int(os.environ.get("SITE_CONN_MAX_AGE", "0")),
    }
}
MONITORING_SETTINGS = json.loads(os.environ.get("SITE_MONITORING", "{}"))
ALERTING_SETTINGS = json.loads(os.environ.get("SITE_ALERTING", "{}"))
if "SITE_MAILS" in os.environ:
    ADMINS = ["admin@example.org"]
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = os.environ["SITE_MAILS"]
