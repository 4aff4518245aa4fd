"""The filter of the list of cases: counts, rows and file come from this one object, and it stands in the address."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from nrm.models import Case, Status
from nrm.queries.case_days import KINDS, due_in
from onatc.forms import day_field
from onatc.models import Municipality
from onatc.registers import RegisterFilter
from onatc.texts import SortKey
from onatc.vocabulary import Code
from stakeholders.models import Institution

DAYS = {"opened_from": "opened_on__gte", "opened_to": "opened_on__lte"}
FALLS_ON = "falls_on"  # the day of what falls due, with which the calendar opens the list


class CaseFilter(RegisterFilter):
    """Cases have no words to search by; their day of opening is asked by two dates, both included."""

    def __init__(self, data: Any, cases: QuerySet[Case]) -> None:
        now = timezone.now()
        days = self._days(data)
        for name, lookup in DAYS.items():
            if days.cleaned_data.get(name):
                cases = cases.filter(**{lookup: days.cleaned_data[name]})
        late = Q(next_due_at__lt=now, closed_on__isnull=True, duplicate_of__isnull=True)
        is_open = Q(closed_on__isnull=True, duplicate_of__isnull=True)
        places = [(one.pk, str(one.name)) for one in Municipality.objects.order_by(SortKey("name"))]
        kinds = [(one.code, str(one.label)) for one in Code.objects.of("exploitation")]
        institutions = Institution.objects.filter(dissolved_on__isnull=True).order_by(SortKey("name"))
        super().__init__(
            data,
            cases,
            selects={
                "status": (_("Status"), list(Status.choices)),
                "procedure": (_("Procedure"), [("adult", _("of an adult")), ("child", _("of a child"))]),
                "state": (_("State"), [("open", _("open")), ("late", _("open and late")), ("closed", _("closed"))]),
                "responsible": (_("Responsible"), [(one.pk, str(one.name)) for one in institutions]),
                "municipality": (_("Municipality"), places),
                "form": (_("Form of exploitation"), kinds),
                "falls": (_("What falls due"), [(one.key, capfirst(str(one.label))) for one in KINDS.values()]),
            },
            narrow={
                "status": "status",
                "procedure": lambda value: Q(is_child_procedure=value == "child"),
                "state": lambda value: {"open": is_open, "late": late, "closed": ~is_open}[value],
                "responsible": "responsible",
                "municipality": "municipality",
                "form": lambda value: Q(forms__contains=[value]),
                "falls": lambda value: due_in(cases, value, days.cleaned_data.get(FALLS_ON)),
            },
            counted="status",
            sorts={
                "opened": "opened_on",
                "due": "next_due_at",
                "status": "status",
                "responsible": "responsible__code",
            },
            usual="-opened",
        )
        del self.form.fields["q"]
        self.chosen.pop("q", None)
        for name in (*DAYS, FALLS_ON):
            self.form.fields[name] = days.fields[name]
            self.chosen[name] = days.cleaned_data.get(name)
            for sentence in days.errors.get(name, ()):
                self.form.add_error(name, sentence)

    @staticmethod
    def _days(data: Any) -> forms.Form:
        class Days(forms.Form):
            opened_from = day_field(_("Opened from"), required=False)
            opened_to = day_field(_("Opened to"), required=False)
            falls_on = day_field(_("Falls due on"), required=False)

        days = Days(data, auto_id="filter_%s")
        for field in days.fields.values():
            field.widget.attrs["class"] = "form-control"
        days.is_valid()
        return days
