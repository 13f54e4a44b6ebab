"""Stored rules, written with the same care as over the API."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied

from alerting import stored_rules
from alerting.admin.access import BaseAdmin, StoredRows, user_of
from alerting.admin.fields import StructuredField
from alerting.history import stored
from alerting.models import StoredRule
from alerting.rules import Rule, RuleError, format_rule, load_structured

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    _Form = forms.ModelForm[StoredRule]
else:
    _Form = forms.ModelForm

__all__ = ["StoredRuleAdmin"]

EXAMPLE: Final = '{"metric": "system.cpu.utilization", "threshold": 0.9, "for": "5m"}'


class _RuleForm(_Form):
    definition = StructuredField(
        example=EXAMPLE,
        rows=20,
        help_text=f"The fields of a rule, such as {EXAMPLE}, or its text as "
        '{"expr": "avg(system.cpu.utilization[5m]) > 0.9"}.',
    )
    rule: Rule

    class Meta:
        model = StoredRule
        fields = ("name", "definition")
        help_texts = {
            "name": "The rule takes the place of one in code or settings of this name."
        }

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - Django's
        super().__init__(*args, **options)
        if isinstance(written := self.instance.definition, dict):
            self.initial["definition"] = _without_name(written)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if stored_rules.exists(name):
            raise forms.ValidationError(
                f"{name!r} is stored already; change that rule or write another name"
            )
        if stored_rules.is_full():
            raise forms.ValidationError(str(stored_rules.TooManyError()))
        return name

    def clean_definition(self) -> dict[str, Any]:
        written = self.cleaned_data["definition"]
        if not isinstance(written, dict):
            raise forms.ValidationError(
                f"definition cannot be {written!r:.80}; write {EXAMPLE}"
            )
        name = self.cleaned_data.get("name") or self.instance.name
        if name and written.get("name", name) != name:
            raise forms.ValidationError(
                f"name cannot be {written['name']!r:.80} in here; write {name!r} or "
                "remove it"
            )
        try:
            # What is wrong with the definition is worth knowing without a name too.
            self.rule = load_structured({**written, "name": name or "unnamed"})
        except RuleError as error:
            raise forms.ValidationError(list(error.problems)) from None
        return stored_rules.definition(self.rule)


@admin.register(StoredRule)
class StoredRuleAdmin(StoredRows, BaseAdmin):
    """A rule that somebody has stored; in force at the next evaluation."""

    form = _RuleForm
    fields = ("name", "definition", "text", "updated_at", "updated_by")
    readonly_fields = ("text", "updated_at", "updated_by")
    list_display = ("name", "text", "updated_at", "updated_by")
    search_fields = ("name",)

    @admin.display(description="text")
    def text(self, row: StoredRule) -> str:
        """Return the rule in its text form, or why it is none."""
        if not row.pk:
            return "-"
        try:
            return format_rule(Rule.load({**row.definition, "name": row.name}))
        except (RuleError, TypeError) as error:
            return f"not in force: {error}"

    def get_readonly_fields(
        self, request: HttpRequest, obj: StoredRule | None = None
    ) -> tuple[str, ...]:
        """Return what nobody writes; the name is what alerts are known by."""
        return self.readonly_fields if obj is None else ("name", *self.readonly_fields)

    def save_model(
        self,
        request: HttpRequest,
        obj: StoredRule,
        form: Any,  # noqa: ANN401 - Django's
        change: bool,
    ) -> None:
        """Store it as the API does, with who and when."""
        try:
            stored_rules.write(form.rule, user=user_of(request), now=time.time())
        except stored_rules.TooManyError as error:
            # Somebody else has stored the last one, since the form was found right.
            raise PermissionDenied(str(error)) from error
        obj.pk = stored(StoredRule).values_list("pk", flat=True).get(name=obj.name)

    def delete_model(self, request: HttpRequest, obj: StoredRule) -> None:
        """Remove it; its open alerts are resolved at the next evaluation."""
        stored_rules.remove(obj.name, user=user_of(request), now=time.time())

    def delete_queryset(
        self, request: HttpRequest, queryset: QuerySet[StoredRule]
    ) -> None:
        """Remove several, each with its entry in the audit."""
        for row in queryset:
            self.delete_model(request, row)


def _without_name(definition: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in definition.items() if key != "name"}
