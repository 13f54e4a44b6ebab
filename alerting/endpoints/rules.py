"""`rules/`: read, write and try out rules; what arrives here is never run as code."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final

from django.http import HttpRequest, HttpResponse
from ninja import Body, Query, Router
from ninja.errors import HttpError
from pydantic import BaseModel, Field, JsonValue

from alerting import stored_rules
from alerting.endpoints.answers import (
    REFUSALS,
    WITH_BODY,
    Page,
    answer,
    may,
    name_of_user,
    refusal,
    require,
)
from alerting.readings import Setting
from alerting.rules import Rule, RuleError, load_structured
from alerting.schemas import (
    Error,
    RemovedRule,
    RuleChanges,
    RuleItem,
    RuleList,
    RuleTrial,
)
from alerting.system import alerting_system
from alerting.trial import trial

if TYPE_CHECKING:
    from alerting.endpoints.site import Site
    from alerting.rules import AnyRule

__all__ = ["READ", "build_router"]

READ: Final = "prs_alerting.view_storedrule"
_ADD: Final = "prs_alerting.add_storedrule"
_CHANGE: Final = "prs_alerting.change_storedrule"
_DELETE: Final = "prs_alerting.delete_storedrule"

RuleBody = Annotated[dict[str, JsonValue], Body()]
_RULE: Final = {"schema": Rule.model_json_schema(by_alias=True)}
_DESCRIBED: Final = {"requestBody": {"content": {"application/json": _RULE}}}


class Named(BaseModel):
    """The rule that is meant; in the query or in the body."""

    name: Annotated[str, Field(max_length=200)] | None = None


def write_rule(request: HttpRequest, rule: RuleBody) -> HttpResponse:
    """Store a rule, in place of one of its name; in force at the next evaluation."""
    if not may(request, _CHANGE):
        # Before anything is said of the rule; who may change one may not add one perhaps.
        require(request, _ADD)
    loaded = _loaded(rule)
    is_new = not stored_rules.exists(loaded.name)
    require(request, _ADD if is_new else _CHANGE)
    try:
        stored_rules.write(loaded, user=name_of_user(request), now=time.time())
    except stored_rules.TooManyError as error:
        raise HttpError(409, str(error)) from error
    item = stored_rules.item(loaded.name, alerting_system.rules_by_origin())
    return answer(item, status=201 if is_new else 200)


def remove_rule(
    request: HttpRequest,
    query: Query[Named],
    body: Annotated[Named | None, Body()] = None,
) -> HttpResponse:
    """Remove a stored rule; its open alerts are resolved at the next evaluation."""
    require(request, _DELETE)
    name = query.name or (body.name if body else None)
    if not name:
        raise refusal(['write ?name= or {"name": …}'], "name")
    in_code = {rule.name: origin for origin, rule in alerting_system.rules_by_origin()}
    if not stored_rules.remove(name, user=name_of_user(request), now=time.time()):
        raise _not_stored(name, in_code.get(name))
    return answer(RemovedRule(name=name, replaced_by=in_code.get(name)))


def changes(request: HttpRequest, page: Query[Page]) -> HttpResponse:
    """Return who changed which rule, the latest first."""
    require(request, READ)
    return answer(stored_rules.changes(limit=page.limit, offset=page.offset))


def build_router(site: Site) -> Router:
    """Return the endpoints, two of which read the health or the figures of a site."""
    router = Router(tags=["rules"])
    written = {200: RuleItem, 201: RuleItem, 409: Error, **WITH_BODY}
    removed = {200: RemovedRule, 404: Error, 409: Error, **WITH_BODY}
    router.post("", response=written, openapi_extra=_DESCRIBED)(write_rule)
    router.delete("", response=removed)(remove_rule)
    router.get("changes/", response={200: RuleChanges, **REFUSALS})(changes)

    @router.get("", response={200: RuleList, **REFUSALS})
    def rules(request: HttpRequest, page: Query[Page]) -> HttpResponse:
        """Return the rules in force: where each comes from, and how it does."""
        require(request, READ)
        in_code = alerting_system.rules_by_origin()
        found = stored_rules.listed(in_code, site.status(time.time()))
        part = found[page.offset : page.offset + page.limit]
        return answer(RuleList(items=part, count=len(found)))

    @router.post("test/", response={200: RuleTrial, 404: Error, **WITH_BODY})
    def test_rule(request: HttpRequest, body: RuleBody) -> HttpResponse:
        """Say what a rule, named or written out, would make of the figures of now."""
        require(request, READ)
        rule = _named(body) if set(body) == {"rule_name"} else _loaded(body)
        with site.around():
            setting = Setting(max_gap=math.inf, ask=site.ask)
            now = time.time()
            return answer(trial(rule, site.source(), now=now, setting=setting))

    return router


def _loaded(body: Mapping[str, Any]) -> Rule:
    try:
        return load_structured(body)
    except RuleError as error:
        raise refusal(error.problems) from None


def _named(body: Mapping[str, Any]) -> AnyRule:
    name = body["rule_name"]
    rules = {rule.name: rule for _, rule in alerting_system.rules_by_origin()}
    rules |= {rule.name: rule for rule in stored_rules.load().rules}
    if not isinstance(name, str) or name not in rules:
        raise HttpError(404, f"There is no rule {name!r:.120}.")
    return rules[name]


def _not_stored(name: str, origin: str | None) -> HttpError:
    if origin is None:
        return HttpError(404, f"There is no rule {name!r:.120}.")
    where = {"built-in": "is built in", "settings": "is in ALERTING_SETTINGS"}
    what = where.get(origin, "is registered in code")
    return HttpError(409, f"The rule {name!r:.120} {what}; remove it there.")
