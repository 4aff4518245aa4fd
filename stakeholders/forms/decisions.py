"""Forms of decisions and action points."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy

from onatc.files import AttachmentField
from onatc.ids import new_id
from onatc.texts import SortKey
from stakeholders.actions.decisions import last_day
from stakeholders.forms.records import CarefulForm, KeptForm, day_input, web_address_field
from stakeholders.models import (
    REPORTERS,
    SECRETARIAT,
    ActionPoint,
    AgendaItem,
    Decision,
    DecisionState,
    DecisionWay,
    Institution,
    Meeting,
    RoleAssignment,
    User,
)
from stakeholders.models.meetings import web_address
from stakeholders.related import Related

VOTES = ("votes_for", "votes_against", "votes_abstained")
NO_CASE = _("What is to be done, in one sentence. Nothing about a case, no name of a person.")


def _no_person_choice(field: Any) -> None:
    field.empty_label = _("none")


class DecisionForm(KeptForm):
    """The instance names the meeting."""

    past = ("decided_on",)
    groups = (
        (_("The decision"), ("item", "decided_on", "text_sq", "text_sr", "text_en", "basis")),
        (_("How it was taken"), ("way", *VOTES)),
    )
    places = {
        "decision_has_a_text": "text_sq", "decision_vote_is_counted": "way", "decision_has_a_majority": "votes_for",
    }  # fmt: skip

    class Meta:
        model = Decision
        fields = ("item", "decided_on", "text_sq", "text_sr", "text_en", "basis", "way", *VOTES)
        widgets = {"way": forms.RadioSelect}
        help_texts = {
            "text_sq": _("As it was taken, in one language at least. Nothing about a case, no name of a person."),
            "basis": _("The law, instruction or rule that it rests on."),
            "votes_for": _("For a vote all three numbers; by consensus none."),
        }

    def arrange(self) -> None:
        meeting: Meeting = self.instance.meeting
        item: Any = self.fields["item"]
        item.queryset = AgendaItem.objects.visible_to(self.user).filter(meeting=meeting)
        _no_person_choice(item)
        self.fields["decided_on"].widget.attrs |= {
            "min": meeting.day.isoformat(),
            "max": min(last_day(meeting), timezone.localdate()).isoformat(),
        }
        if self.is_new:
            self.initial["decided_on"] = meeting.day

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        meeting: Meeting = self.instance.meeting
        day = cleaned.get("decided_on")
        if day and not meeting.day <= day <= last_day(meeting):
            self.add_error("decided_on", _("A decision is taken on a day of its meeting."))
        typed = [name for name in VOTES if cleaned.get(name) is not None]
        if cleaned.get("way") == DecisionWay.VOTE:
            for name in VOTES:
                if name not in typed and name not in self.errors:
                    self.add_error(name, _("A vote has three numbers: for, against, abstentions."))
        elif cleaned.get("way") == DecisionWay.CONSENSUS and typed:
            self.add_error(
                "way", _("By consensus there is nothing to count. Choose the vote, or leave the numbers empty.")
            )
        return cleaned


class EndForm(CarefulForm):
    """Which later decision ends one, and how."""

    state = forms.ChoiceField(
        label=_("What it does"),
        choices=[
            (DecisionState.REPLACED, pgettext_lazy("decision", "replaces it")),
            (DecisionState.REVOKED, pgettext_lazy("decision", "revokes it")),
        ],
        widget=forms.RadioSelect,
    )
    later = forms.ModelChoiceField(label=_("Later decision"), queryset=Decision.objects.none())

    def __init__(self, data: Any = None, *, decision: Decision, user: Any) -> None:
        super().__init__(data)
        later: Any = self.fields["later"]
        bodies = [decision.body_id, *([decision.body.parent_id] if decision.body and decision.body.parent_id else [])]
        found = Decision.objects.visible_to(user).filter(decided_on__gte=decision.decided_on).exclude(pk=decision.pk)
        later.queryset = found.filter(body__in=bodies) if decision.body_id else found.filter(body=None)
        later.help_text = _("Record it first with its own meeting; it is offered here when it is not older.")
        self._finish()


def _people(user: Any) -> list[Any]:
    """Who can be named as responsible: those who report, by institution; the office's people for the office."""
    groups: dict[str, list[tuple[str, str]]] = {}
    seen = set()
    roles = RoleAssignment.objects.active().filter(
        role__in=REPORTERS | SECRETARIAT, user__is_active=True, user__in=User.objects.visible_to(user).values("pk")
    )
    for one in roles.select_related("user", "institution").order_by("institution__code", "user__full_name"):
        if (one.institution_id, one.user_id) not in seen:
            seen.add((one.institution_id, one.user_id))
            groups.setdefault(one.institution.short, []).append((str(one.user_id), str(one.user)))
    return [("", _("nobody in particular")), *groups.items()]


def _offer_people(field: Any, user: Any) -> None:
    field.queryset = User.objects.visible_to(user).filter(is_active=True)
    field.widget.choices = _people(user)


def _existing(user: Any) -> Any:
    """Institutions that can be given something to do today."""
    today = timezone.localdate()
    return Institution.objects.visible_to(user).exclude(dissolved_on__lt=today).order_by(SortKey("name"))


class PointForm(KeptForm):
    """The instance names the meeting, and what the point comes from when that is known."""

    groups = (
        (_("What is to be done"), ("title_sq", "title_sr", "title_en")),
        (_("By whom and when"), ("owner", "person", "due_on")),
        (_("What it comes from"), ("decision", "item")),
    )
    places = {"action_point_has_a_title": "title_sq"}

    class Meta:
        model = ActionPoint
        fields = ("title_sq", "title_sr", "title_en", "owner", "person", "due_on", "decision", "item")
        help_texts = {
            "title_sq": NO_CASE,
            "owner": _("The institution that answers for it. Its focal points see it and are reminded."),
            "person": _("Only when one person alone is to be reminded. It must be somebody who reports for the owner."),
            "due_on": _("A weekend or holiday moves it, as the office's setting says."),
        }

    def arrange(self) -> None:
        meeting: Meeting = self.instance.meeting
        owner: Any = self.fields["owner"]
        owner.label = pgettext("action point", "Owner")
        owner.queryset = _existing(self.user)
        _offer_people(self.fields["person"], self.user)
        decision: Any = self.fields["decision"]
        decision.queryset = Decision.objects.visible_to(self.user).filter(meeting=meeting)
        item: Any = self.fields["item"]
        item.queryset = AgendaItem.objects.visible_to(self.user).filter(meeting=meeting)
        for field in (decision, item):
            _no_person_choice(field)
        self.fields["due_on"].widget.attrs["min"] = meeting.day.isoformat()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("due_on") and cleaned["due_on"] < self.instance.meeting.day:
            self.add_error("due_on", _("It cannot be due before the meeting."))
        return cleaned


class StepForm(CarefulForm):
    """What every step of a point says, and in which language. `key` is the step's own, `revision` the point's."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)
    text = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))
    language = forms.ChoiceField(label=_("Language of the text"), choices=settings.LANGUAGES)

    def __init__(self, data: Any = None, files: Any = None, *, point: ActionPoint, user: Any) -> None:
        super().__init__(data, files)
        self.initial = {"key": new_id(), "revision": point.revision, "language": user.language}
        self.point, self.user = point, user
        self.arrange()
        self._finish()

    def arrange(self) -> None:
        """What a form adds before it is laid out."""


def _address(label: Any) -> forms.URLField:
    field = web_address_field(label)
    field.validators.append(web_address)
    return field


class ProgressForm(StepForm):
    text = forms.CharField(
        label=_("What was done"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("In a few sentences. Nothing about a case, no name of a person."),
    )
    link = _address(_("Link"))
    attachments = AttachmentField(label=_("Files"), required=False)


class MoveForm(StepForm):
    due_on = forms.DateField(
        label=_("New date"),
        widget=day_input(),
        help_text=_("A weekend or holiday moves it, as the office's setting says."),
    )
    field_order = ("due_on", "text", "language")

    def arrange(self) -> None:
        self.fields["due_on"].widget.attrs["min"] = timezone.localdate().isoformat()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("due_on") and cleaned["due_on"] < timezone.localdate():
            self.add_error("due_on", _("The new date lies in the past."))
        return cleaned


class ReopenForm(MoveForm):
    """Opened again with a reason and a date."""


class GiveForm(StepForm):
    owner = forms.ModelChoiceField(label=pgettext_lazy("action point", "Owner"), queryset=Institution.objects.none())
    person = forms.ModelChoiceField(label=_("Person responsible"), queryset=User.objects.none(), required=False)
    field_order = ("owner", "person", "text", "language")

    def arrange(self) -> None:
        owner: Any = self.fields["owner"]
        owner.queryset = _existing(self.user)
        _offer_people(self.fields["person"], self.user)
        self.initial.update(owner=self.point.owner_id, person=self.point.person_id)


class DropForm(StepForm):
    """Not done any more, with the reason."""


class CloseForm(StepForm):
    """`recorded` are records of the application that can prove it: what the page of the point shows."""

    text = forms.CharField(
        label=_("What came of it"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("What was reached, in a few sentences. Nothing about a case, no name of a person."),
    )
    attachments = AttachmentField(label=_("Files"), required=False)
    link = _address(_("Link"))
    record = forms.ChoiceField(label=_("Recorded report of progress"), required=False)

    def __init__(
        self, data: Any = None, files: Any = None, *, recorded: list[Related], has_evidence: bool, **kwargs: Any
    ) -> None:
        self.recorded, self.has_evidence = recorded, has_evidence
        super().__init__(data, files, **kwargs)

    def arrange(self) -> None:
        if not self.recorded:
            del self.fields["record"]
        else:
            choices = [("", _("none")), *((one.url, one.title) for one in self.recorded)]
            self.fields["record"].choices = choices  # type: ignore[attr-defined]
        if not self.has_evidence:
            self.fields["attachments"].help_text = _(
                "Evidence is needed: a file, an address, or a recorded report of progress."
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        given = any(cleaned.get(name) for name in ("attachments", "link", "record"))
        if not given and not self.has_evidence and not {"attachments", "link", "record"} & set(self.errors):
            self.add_error(
                "attachments", _("Evidence is needed: a file, an address, or a recorded report of progress.")
            )
        if cleaned.get("link") and cleaned.get("record"):
            self.add_error("link", _("Name an address or a recorded report, not both."))
        return cleaned
