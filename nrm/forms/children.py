"""Forms of what is recorded for a child: age check, guardian, child protection unit, best interest, coming of age."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from nrm import access
from nrm.ages import OLDEST
from nrm.forms.identification import ActForm, bodies
from nrm.models import AgeFinding, BestInterestFinding, GuardianKind
from nrm.queries import identification as queries
from nrm.queries.children import units_for
from onatc.forms import day_field


def _own(field: Any, user: Any) -> Any:
    """The one of the offered institutions that is the user's own, or the only one that is offered."""
    offered = list(field.queryset)
    own = [one for one in offered if one.pk in user.institution_ids]
    found = own or offered
    return found[0].pk if len(found) == 1 else None


class AgeCheckForm(ActForm):
    past = ("checked_on",)
    checked_on = day_field(gettext_lazy("Checked on"))
    finding = forms.ChoiceField(label=gettext_lazy("Finding"), choices=AgeFinding.choices, widget=forms.RadioSelect)
    age = forms.IntegerField(
        label=gettext_lazy("Age in years"), min_value=0, max_value=OLDEST, required=False,
        help_text=gettext_lazy("Whole years on the day of the check, where they were found. Never a date of birth."),
    )  # fmt: skip

    def arrange(self) -> None:
        self.fields["checked_by"] = bodies(queries.with_function(self.case, access.CHECKS_AGE), _("Checked by"))
        self.initial.setdefault("checked_on", timezone.localdate())
        self.initial.setdefault("checked_by", _own(self.fields["checked_by"], self.user))

    def arguments(self) -> dict[str, Any]:
        return self.common() | self.said("checked_on", "finding", "age", "checked_by")


class GuardianForm(ActForm):
    past = ("starts_on",)
    kind = forms.ChoiceField(label=gettext_lazy("Guardian"), choices=GuardianKind.choices, widget=forms.RadioSelect)
    starts_on = day_field(gettext_lazy("From"))

    def arrange(self) -> None:
        self.fields["appointed_by"] = bodies(units_for(self.case), _("Named by"))
        self.initial.setdefault("starts_on", timezone.localdate())
        self.initial.setdefault("appointed_by", _own(self.fields["appointed_by"], self.user))

    def arguments(self) -> dict[str, Any]:
        return self.common() | self.said("kind", "starts_on", "appointed_by")


class ChildUnitForm(ActForm):
    says_institution = False

    def arrange(self) -> None:
        self.fields["unit"] = bodies(
            units_for(self.case), _("Child protection unit"),
            help_text=_("Of the municipality of the case, or of the country where none is its own."),
        )  # fmt: skip
        self.initial.setdefault("unit", _own(self.fields["unit"], self.user))


class BestInterestForm(ActForm):
    past = ("determined_on",)
    determined_on = day_field(gettext_lazy("Determined on"))
    finding = forms.ChoiceField(
        label=gettext_lazy("Finding"), choices=BestInterestFinding.choices, widget=forms.RadioSelect
    )
    child_was_heard = forms.BooleanField(label=gettext_lazy("The child was heard"), required=False, initial=True)
    review_on = day_field(gettext_lazy("Next review"), required=False)

    def arrange(self) -> None:
        self.fields["determined_by"] = bodies(units_for(self.case), _("Determined by"))
        self.initial.setdefault("determined_on", timezone.localdate())
        self.initial.setdefault("determined_by", _own(self.fields["determined_by"], self.user))

    def arguments(self) -> dict[str, Any]:
        names = ("determined_on", "finding", "child_was_heard", "review_on", "determined_by")
        return self.common() | self.said(*names)
