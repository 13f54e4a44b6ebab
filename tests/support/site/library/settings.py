"""Settings of the site, which a test changes through the environment.

`SITE_DIRECTORY` holds its files, `SITE_SETTINGS` is a JSON object of settings to put
over the ones below. Whatever is not set is what `django-admin startproject` writes.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import django

BASE_DIR = Path(__file__).resolve().parent.parent
DIRECTORY = Path(os.environ.get("SITE_DIRECTORY", BASE_DIR))

SECRET_KEY = "only-for-tests"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "library.urls"
WSGI_APPLICATION = "library.wsgi.application"
USE_TZ = True

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "library",
    "prs_otel",
    "alerting",
]
MIDDLEWARE = [
    "library.middleware.name_the_worker",
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
    alias: {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DIRECTORY / f"{alias}.sqlite3",
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL",
        },
    }
    for alias in ("default", "other")
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

MAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
if django.VERSION >= (6, 1):
    MAILERS = {
        "default": {
            "BACKEND": MAIL_BACKEND,
            "OPTIONS": {"file_path": DIRECTORY / "mail"},
        }
    }
else:
    EMAIL_BACKEND = MAIL_BACKEND
    EMAIL_FILE_PATH = DIRECTORY / "mail"
# Pairs are what Django 5.2 reads and 6.0 deprecates.
ADMINS = (
    ["alice@example.org", "bob@example.org"]
    if django.VERSION >= (6, 0)
    else [("Alice", "alice@example.org"), ("Bob", "bob@example.org")]
)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(levelname)s %(name)s %(process)d %(message)s"}
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}

globals().update(json.loads(os.environ.get("SITE_SETTINGS", "{}")))
