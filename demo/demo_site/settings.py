"""Settings of the demo site: an ordinary project, with rules sized for two minutes."""

from __future__ import annotations

import os
from pathlib import Path

from demo_site.rules import RULES

BASE_DIR = Path(__file__).resolve().parent.parent
# Everything the demo writes; run.py makes it and removes it.
STATE_DIR = BASE_DIR / ".state"

# A site that only listens on this machine, for as long as someone looks at it.
SECRET_KEY = "the-demo-serves-127.0.0.1-and-keeps-nothing"  # noqa: S105
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "demo_site.urls"
WSGI_APPLICATION = "demo_site.wsgi.application"
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "payments",
    "prs_otel",
    "alerting",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": STATE_DIR / "payments.sqlite3",
        "OPTIONS": {
            # All workers write: readers do not wait for them, writers queue.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
        },
    },
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

AUTH_USER_MODEL = "payments.User"
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
# The tenant resolver reads the session in every request: a cookie costs no query.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"

ADMINS = [("Payments operations", "operations@payments.example")]
DEFAULT_FROM_EMAIL = SERVER_EMAIL = "monitoring@payments.example"
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = STATE_DIR / "mail"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "format": "%(asctime)s %(process)d %(levelname)s %(name)s %(message)s"
        },
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "plain"},
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        # Django's default would also mail every error to ADMINS, between the alerts.
        "django": {"handlers": [], "propagate": True},
        # A page that is not there is nothing to note.
        "django.request": {"level": "ERROR"},
    },
}

MONITORING_SETTINGS = {
    # While the database is seeded nobody is to see the seeding's own slow queries.
    "ENABLED": os.environ.get("DEMO_MONITORED") != "no",
    "STORE": f"sqlite:///{STATE_DIR / 'monitoring.sqlite3'}",
    "FLUSH_INTERVAL": 1,
    "SYSTEM_METRICS_INTERVAL": 2,
    "SCRAPE_ENDPOINT": True,
    "SLOW_QUERY_THRESHOLD": 0.2,
    "SLOW_API_THRESHOLD": 0.3,
    # Thirty small queries to a local file take a millisecond, not the default's 50.
    "N_PLUS_ONE_MIN_DURATION": 0,
    "TENANT_RESOLVER": "payments.tenancy.organization_of_request",
    "USER_ORGANIZATION": "payments.tenancy.organization_of_user",
}

ALERTING_SETTINGS = {
    "EVALUATION_INTERVAL": 2,
    "EMAIL_BATCH_SIZE": 1,
    # The phases come round every 90 s: a cooldown of minutes would hide them.
    "ALERT_COOLDOWN_MINUTES": 0,
    "MAX_ALERTS_PER_HOUR": 60,
    "RULES": RULES,
}
