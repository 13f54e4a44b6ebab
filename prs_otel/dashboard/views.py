"""The page itself: an empty frame that knows where the API is and who reads it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django import db
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template import Context, Engine, TemplateDoesNotExist
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.views.decorators.http import require_safe

from prs_otel import __version__, face
from prs_otel.dashboard import access, assets
from prs_otel.database_errors import described

if TYPE_CHECKING:
    from prs_otel.dashboard.access import Reader

logger = logging.getLogger("prs_otel")

TEMPLATE: Final = "prs_otel/dashboard.html"
MESSAGE_TEMPLATE: Final = "prs_otel/dashboard_message.html"
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
# Where a project has no template engine that looks into applications.
_OWN_TEMPLATES: Final = Path(__file__).resolve().parent.parent / "templates"

NO_ORGANIZATION: Final = (
    "Your account belongs to no organisation, so there is nothing it may see. "
    "Staff see everything; MONITORING_SETTINGS['USER_ORGANIZATION'] says whose figures "
    "anybody else may read."
)
NOT_MOUNTED: Final = (
    "The monitoring API is not mounted, and the page shows what the API says. Add "
    'path("api/monitoring/", include("prs_otel.urls")) to the URLs of the project.'
)
NOT_BUILT: Final = (
    "The page's script has not been built. Run `make install` in the checkout, or install "
    "the package again."
)
NO_DATABASE: Final = "The database cannot be read, so nobody can be recognised."


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Return the dashboard to who may see it; anybody else is sent to the login page."""
    try:
        user = access.signed_in(request)
        if user is None:
            return access.to_login(request)
        reader = access.reader(user)
    except db.Error as error:
        logger.warning(
            "The dashboard found the database out of order: %s", described(error)
        )
        return _message(request, NO_DATABASE, status=503)
    if reader.role == "nobody":
        return _message(request, NO_ORGANIZATION, status=403)
    api_url = _mounted_at("prs_otel:api-root")
    if api_url is None:
        return _message(request, NOT_MOUNTED, status=503)
    if not assets.is_built():
        return _message(request, NOT_BUILT, status=503)
    return _answer(request, TEMPLATE, _context(request, reader, api_url))


def _context(
    request: HttpRequest, reader: Reader, monitoring_url: str
) -> dict[str, object]:
    return {
        "service_name": face.service_name(),
        "version": __version__,
        "reader": reader,
        "permissions": " ".join(reader.permissions),
        "csrf_token_text": get_token(request),
        "page_url": request.path,
        "monitoring_url": monitoring_url,
        # Alerting is for staff, and may not be installed.
        "alerting_url": _mounted_at("prs_alerting:api-root") or "",
        "trace_url": _trace_url(),
        "script_url": _asset_url(request, assets.SCRIPT),
        "style_url": _asset_url(request, assets.STYLE),
    }


def _message(request: HttpRequest, message: str, *, status: int) -> HttpResponse:
    style = _asset_url(request, assets.STYLE) if assets.is_built() else ""
    context: dict[str, object] = {"message": message, "style_url": style}
    return _answer(request, MESSAGE_TEMPLATE, context, status=status)


def _answer(
    request: HttpRequest,
    template: str,
    context: dict[str, object],
    *,
    status: int = 200,
) -> HttpResponse:
    response = HttpResponse(_rendered(request, template, context), status=status)
    # Where the project has a policy of its own, its middleware writes that over this one.
    response["Content-Security-Policy"] = POLICY
    response["X-Content-Type-Options"] = "nosniff"
    response["Referrer-Policy"] = "same-origin"
    patch_cache_control(response, private=True, no_store=True)
    patch_vary_headers(response, ("Cookie",))
    return response


def _rendered(request: HttpRequest, template: str, context: dict[str, object]) -> str:
    try:
        return render_to_string(template, context, request)
    except TemplateDoesNotExist:
        own = Engine(dirs=[str(_OWN_TEMPLATES)])
        return own.get_template(template).render(Context(context))


def _asset_url(request: HttpRequest, name: str) -> str:
    # Relative to the page, wherever and under whatever namespace it is mounted.
    return f"{request.path}assets/{assets.asset(name).digest}/{name}"


def _trace_url() -> str:
    """Return where a trace is seen, as the messages of alerts say it; empty where nobody has."""
    said = getattr(settings, "ALERTING_SETTINGS", None)
    template = said.get("TRACE_URL_TEMPLATE") if isinstance(said, dict) else None
    return template if isinstance(template, str) else ""


def _mounted_at(name: str) -> str | None:
    try:
        return reverse(name)
    except NoReverseMatch:
        return None
