"""The API's documentation page, served from this process: no CDN, no static files app.

ninja ships Swagger UI, but links it from a CDN unless the project serves ninja's static
files; many do not, and a monitored network often has no way out.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import ninja
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.utils.html import format_html
from ninja.openapi.docs import DocsBase

if TYPE_CHECKING:
    from ninja import NinjaAPI

ASSETS: Final = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui-init.js": "text/javascript",
}
_DIRECTORY: Final = Path(ninja.__file__).parent / "static" / "ninja"
_A_DAY: Final = "private, max-age=86400"

# No script of its own, so a strict Content-Security-Policy lets it pass; addresses are
# relative, so it works wherever and under whatever namespace the API is mounted.
_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{title}</title>
  <link rel="stylesheet" href="swagger-ui.css">
</head>
<body data-csrf-token="{csrf_token}" data-api-csrf="true">
  <div id="swagger-ui"></div>
  <script type="application/json" id="swagger-settings">
    {{"layout": "BaseLayout", "url": "../openapi.json"}}
  </script>
  <script src="swagger-ui-bundle.js"></script>
  <script src="swagger-ui-init.js"></script>
</body>
</html>
"""


class SelfServedSwagger(DocsBase):
    """Swagger UI with everything it needs from `docs_asset`."""

    def render_page(
        self, request: HttpRequest, api: NinjaAPI, **kwargs: object
    ) -> HttpResponse:
        """Return the page; the CSRF token lets it try out what changes something."""
        page = format_html(_PAGE, title=api.title, csrf_token=get_token(request))
        return HttpResponse(page)


def docs_asset(request: HttpRequest, name: str) -> HttpResponse:
    """Return one of the files that make up Swagger UI."""
    if name not in ASSETS:
        raise Http404
    return HttpResponse(
        _content(name),
        content_type=ASSETS[name],
        headers={"Cache-Control": _A_DAY, "X-Content-Type-Options": "nosniff"},
    )


@cache
def _content(name: str) -> bytes:
    return (_DIRECTORY / name).read_bytes()
