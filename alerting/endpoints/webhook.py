"""`webhook/`: alerts that other systems post, by a secret instead of a login."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from ninja import Router
from ninja.errors import HttpError
from pydantic import BaseModel, Field

from alerting.endpoints.answers import REFUSALS, answer, refusal
from alerting.inbox import FullError, ReplayError
from alerting.schemas import Error
from alerting.webhook import document, forms
from alerting.webhook.credentials import Claim, Secrets
from alerting.webhook.errors import FieldsError, PayloadError, TooLargeError
from alerting.webhook.forms.simple import SimpleAlert
from alerting.webhook.token_bucket import TokenBucket

if TYPE_CHECKING:
    from alerting.endpoints.site import Site
    from alerting.webhook.document import Readable
    from alerting.webhook.posted import Batch

__all__ = ["Accepted", "build_router"]

RATE: Final = 10.0  # requests a second, for each process
BURST: Final = 40
# Whoever asks must not learn what was wrong.
UNKNOWN: Final = "The secret, the signature or its time is wrong."
FULL: Final = "So many alerts fire elsewhere that there is no room for more."
FULL_RETRY_AFTER: Final = 60  # seconds

# Who posts could not mend a field: what is something else is left aside, not refused.
_FIELDS: Final = {
    "status": "firing or resolved",
    "labels": "an object of texts; alertname and severity are among them",
    "annotations": "an object of texts, such as summary",
    "startsAt": "a time as in RFC 3339",
    "endsAt": "a time as in RFC 3339",
    "generatorURL": "where it can be looked at",
    "fingerprint": "what is the same as long as it is the same alert",
}
_GROUP: Final = {
    "type": "object",
    "description": "Alertmanager's webhook (version 4), or Grafana's",
    "required": ["alerts"],
    "properties": {
        "version": {"description": "4, or of Grafana's webhook 1"},
        "alerts": {
            "type": "array",
            "maxItems": 500,
            "items": {
                "type": "object",
                "properties": {
                    name: {"description": text} for name, text in _FIELDS.items()
                },
            },
        },
    },
}


class Accepted(BaseModel):
    """What became of the alerts of a request."""

    accepted: Annotated[int, Field(description="alerts that the evaluator will judge")]
    ignored: Annotated[
        int, Field(description="alerts that are late, over or on their way back")
    ]


def _body() -> dict[str, Any]:
    simple = SimpleAlert.model_json_schema(ref_template="#/components/schemas/{model}")
    simple.pop("$defs", None)
    severities = {"enum": ["info", "warning", "error", "critical"]}
    simple["properties"]["severity"] = severities
    schema = {"oneOf": [simple, _GROUP]}
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        },
    }


def build_router(site: Site) -> Router:
    """Return the endpoint, which takes so many requests a second in each process."""
    router = Router(tags=["webhook"])
    bucket = TokenBucket(rate=RATE, burst=BURST)

    @router.post(
        "",
        auth=None,
        url_name="webhook",
        response={202: Accepted, 400: Error, 413: Error, **REFUSALS},
        openapi_extra=_body(),
    )
    def webhook(request: HttpRequest) -> HttpResponse:
        """Take alerts from another system: one in the simple form, or a group of them.

        Alertmanager's webhook (version 4) and Grafana's are recognised by their shape.
        Send the secret as a bearer token, or sign: `X-Prs-Timestamp` has the time in Unix
        seconds, `X-Prs-Signature` is `v1=` and the HMAC-SHA256 of that text, a dot and the
        raw body, in hex digits. Whoever is not let in for now is told when to come again.
        """
        wait = bucket.take(now=time.monotonic())
        if wait:
            return _come_again("There are too many requests.", wait)
        now = time.time()
        try:
            source, signed, body = _admitted(request, site.secrets(), now)
            batch = forms.read(document.parse(body), now=now)
            with site.around():
                return _kept(site, batch, source, signed, now)
        except PayloadError as error:
            raise HttpError(400, str(error)) from None
        except TooLargeError as error:
            raise HttpError(413, str(error)) from None
        except FieldsError as error:
            raise refusal(error.problems) from None
        except ReplayError:
            raise HttpError(401, UNKNOWN) from None
        except FullError:
            return _come_again(FULL, FULL_RETRY_AFTER)

    return router


def _kept(
    site: Site, batch: Batch, source: str, signed: str, now: float
) -> HttpResponse:
    receipt = site.inbox().keep(
        batch.alerts, source or batch.form, now=now, signed=signed
    )
    done = Accepted(accepted=receipt.accepted, ignored=receipt.ignored)
    return answer(done, status=202)


def _admitted(
    request: HttpRequest, secrets: Secrets | None, now: float
) -> tuple[str, str, bytes]:
    """Return the source, what may not be used twice, and the body; raises `HttpError`."""
    claim = _claim(request)
    if secrets is None:
        raise HttpError(401, UNKNOWN)
    if not secrets.are_set:
        return "", "", _read(request)
    if claim.is_empty:
        # Nobody's body needs to be read for this.
        raise HttpError(401, UNKNOWN)
    source = secrets.bearer(claim)
    if source is not None:
        return source, "", _read(request)
    if not claim.given:
        raise HttpError(401, UNKNOWN)
    body = _read(request)
    source = secrets.signer(claim, body, now=now)
    if source is None:
        raise HttpError(401, UNKNOWN)
    return source, hashlib.sha256(claim.given.lower().encode()).hexdigest(), body


def _claim(request: HttpRequest) -> Claim:
    headers = request.headers
    return Claim(
        authorization=headers.get("Authorization", ""),
        timestamp=headers.get("X-Prs-Timestamp", ""),
        signature=headers.get("X-Prs-Signature", ""),
        grafana_signature=headers.get("X-Grafana-Alerting-Signature", ""),
        source=request.GET.get("source", ""),
    )


def _read(request: HttpRequest) -> bytes:
    declared = request.META.get("CONTENT_LENGTH") or ""
    stream: Readable = request
    if not declared and request.META.get("wsgi.input_terminated"):
        # The server knows where a chunked body ends, which Django takes for an empty one.
        stream = cast("Readable", request.META["wsgi.input"])
    try:
        return document.read(stream, declared=declared)
    except UnreadablePostError:
        raise HttpError(400, "The body has broken off.") from None


def _come_again(detail: str, seconds: int) -> HttpResponse:
    # Alertmanager tries again after a 503, never after a 429.
    headers = {"Retry-After": str(seconds), "Cache-Control": "no-store"}
    return JsonResponse({"detail": detail}, status=503, headers=headers)
