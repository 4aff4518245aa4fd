"""Forms of series, meetings, agendas, attendance and minutes."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from onatc.files import AttachmentField
from onatc.forms import day_input
from onatc.texts import SortKey, column_of
from stakeholders.actions.meetings import Presence
from stakeholders.actions.minutes import FIELDS, LONGEST, adopting_meetings
from stakeholders.forms.records import CarefulForm, KeptForm, web_address_field
from stakeholders.models import (
    AgendaItem,
    AgendaKind,
    Attendee,
    Body,
    BodyMember,
    Contact,
    Institution,
    Meeting,
    MeetingSeries,
    MeetingState,
    MinutesComment,
    MinutesState,
    Sex,
)
from stakeholders.queries.meetings import before, could_chair

MOMENT = "%Y-%m-%dT%H:%M"
MINUTES_DAYS = 7  # offered for remarks
LONGEST_WAIT = 366  # days for remarks: whoever types another year is asked about it


class SeriesForm(KeptForm):
    groups = (
        (gettext_lazy("Name"), ("name_sq", "name_sr", "name_en")),
        (gettext_lazy("How often"), ("every_months", "starts_on")),
    )

    class Meta:
        model = MeetingSeries
        fields = (
            "kind", "duty", "body", "country", "usual_place", "name_sq", "name_sr", "name_en", "every_months",
            "starts_on",
        )  # fmt: skip
        help_texts = {
            "every_months": gettext_lazy("The next one is due so many months after the last one was held."),
            "starts_on": gettext_lazy("The day since which meetings are owed; the first one is due from here."),
        }

    def arrange(self) -> None:
        self.fields["body"].queryset = Body.objects.visible_to(self.user).order_by(SortKey("name"))  # type: ignore[attr-defined]


class EndSeriesForm(CarefulForm):
    ends_on = forms.DateField(label=gettext_lazy("Last day"), widget=day_input())

    def __init__(self, data: Any = None, *, series: MeetingSeries) -> None:
        super().__init__(data, initial={"ends_on": timezone.localdate()})
        self.series = series
        self._finish()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("ends_on") and cleaned["ends_on"] < self.series.starts_on:
            self.add_error("ends_on", _("The end must not lie before the start."))
        return cleaned


class MeetingForm(KeptForm):
    """A time that the clock skips or shows twice on the day it is changed is refused at its field by Django."""

    link = web_address_field(gettext_lazy("Link to join"))
    groups = (
        (gettext_lazy("Title"), ("title_sq", "title_sr", "title_en")),
        (gettext_lazy("When and where"), ("starts_at", "ends_at", "place", "link")),
        (gettext_lazy("The call"), ("answer_by", "note", "language", "chair")),
    )

    class Meta:
        model = Meeting
        fields = (
            "series", "body", "country", "title_sq", "title_sr", "title_en", "starts_at", "ends_at", "place", "link",
            "answer_by", "note", "language", "chair",
        )  # fmt: skip
        help_texts = {
            "series": gettext_lazy("The duty that the meeting fulfils; left empty for a meeting outside any series."),
            "body": gettext_lazy("Its members on the day of the meeting are called."),
            "language": gettext_lazy("In which the minutes are written."),
            "note": gettext_lazy("It stands in the call to everybody. Nothing about a case or a person."),
        }

    def arrange(self) -> None:
        for name in ("starts_at", "ends_at"):
            self.fields[name] = forms.DateTimeField(
                label=self.fields[name].label,
                widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MOMENT),
                input_formats=[MOMENT, "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
            )
        bodies = Body.objects.visible_to(self.user)
        if not self.user.is_secretariat:
            bodies = bodies.filter(district__in=self.user.district_codes) | bodies.filter(
                municipality__in=self.user.municipality_codes
            )
            self.fields["body"].required = True
        self.fields["body"].queryset = bodies.order_by(SortKey("name"))  # type: ignore[attr-defined]
        self.fields["series"].queryset = MeetingSeries.objects.visible_to(self.user).order_by(SortKey("name"))  # type: ignore[attr-defined]
        if self.is_new:
            del self.fields["chair"]
        else:
            self.fields["chair"].queryset = could_chair(self.instance, self.user)  # type: ignore[attr-defined]
        if self.instance.state == MeetingState.CALLED:
            for name in ("series", "body", "country"):
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        starts_at, ends_at, answer_by = (cleaned.get(name) for name in ("starts_at", "ends_at", "answer_by"))
        if starts_at and ends_at:
            if ends_at <= starts_at:
                self.add_error("ends_at", _("The meeting must end after it begins."))
            elif ends_at - starts_at > timedelta(days=7):
                self.add_error("ends_at", _("A meeting lasts a week at most."))
        if starts_at and not 2000 <= starts_at.year <= 2100:
            self.add_error("starts_at", _("Check the year."))
        if starts_at and answer_by and answer_by > timezone.localtime(starts_at).date():
            self.add_error("answer_by", _("Answers are asked for before the meeting."))
        elif answer_by and "answer_by" in self.changed_data and answer_by < timezone.localdate():
            self.add_error("answer_by", _("This day has passed."))
        is_moved = "starts_at" in self.changed_data and self.instance.state == MeetingState.CALLED
        if starts_at and is_moved and starts_at <= timezone.now() and "starts_at" not in self.errors:
            self.add_error("starts_at", _("This time is over. A meeting that is called is moved to a time to come."))
        return cleaned


class CancelForm(CarefulForm):
    reason = forms.CharField(
        label=gettext_lazy("Why is it cancelled?"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Everybody who was called reads it."),
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self._finish()


class ItemForm(KeptForm):
    groups = ((gettext_lazy("Title"), ("title_sq", "title_sr", "title_en")),)

    class Meta:
        model = AgendaItem
        fields = ("kind", "minutes_of", "presenter", "minutes_length", "title_sq", "title_sr", "title_en")
        help_texts = {"minutes_of": gettext_lazy("Only for the adoption of minutes: of which meeting.")}

    def __init__(self, *args: Any, meeting: Meeting, **kwargs: Any) -> None:
        self.meeting = meeting
        super().__init__(*args, **kwargs)

    def arrange(self) -> None:
        earlier = before(self.meeting).exclude(minutes_state=MinutesState.ADOPTED)
        held = self.instance.minutes_of_id
        if held is not None:
            earlier = before(self.meeting).filter(pk=held) | earlier
        visible = Meeting.objects.visible_to(self.user).filter(pk__in=earlier.values("pk"))
        self.fields["minutes_of"].queryset = visible.order_by("-starts_at")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("kind") == AgendaKind.MINUTES and "minutes_of" not in self.errors:
            if not cleaned.get("minutes_of"):
                self.add_error("minutes_of", _("Say which meeting's minutes are to be adopted."))
        elif cleaned.get("kind"):
            cleaned["minutes_of"] = None
        return cleaned


class PaperForm(CarefulForm):
    papers = AttachmentField(label=gettext_lazy("Files"))
    item = forms.ModelChoiceField(
        label=gettext_lazy("Point of the agenda"),
        queryset=AgendaItem.objects.none(),
        required=False,
        empty_label=gettext_lazy("the whole meeting"),
    )
    is_internal = forms.BooleanField(
        label=gettext_lazy("For the office only"),
        required=False,
        help_text=gettext_lazy("Nobody outside the office sees it, and it goes with no call."),
    )

    def __init__(self, data: Any = None, files: Any = None, *, meeting: Meeting, user: Any) -> None:
        super().__init__(data, files)
        self.fields["item"].queryset = AgendaItem.objects.visible_to(user).filter(meeting=meeting)  # type: ignore[attr-defined]
        self._finish()


class GuestForm(CarefulForm):
    contact = forms.ModelChoiceField(
        label=gettext_lazy("Person"),
        queryset=Contact.objects.none(),
        required=False,
        help_text=gettext_lazy("Is written to like a member."),
    )
    name = forms.CharField(
        label=gettext_lazy("or name"),
        max_length=120,
        required=False,
        help_text=gettext_lazy("For a guest of this one meeting, who is not written to."),
    )
    institution = forms.ModelChoiceField(
        label=gettext_lazy("Institution"), queryset=Institution.objects.none(), required=False
    )
    sex = forms.ChoiceField(
        label=gettext_lazy("Sex, for counting attendance"),
        choices=[("", gettext_lazy("as recorded with the person")), *Sex.choices],
        required=False,
    )

    def __init__(self, data: Any = None, *, meeting: Meeting, user: Any) -> None:
        super().__init__(data)
        there = meeting.attendees.filter(contact__isnull=False).values("contact")
        contacts = Contact.objects.visible_to(user).present().exclude(pk__in=there)
        self.fields["contact"].queryset = contacts.order_by("full_name")  # type: ignore[attr-defined]
        self.fields["institution"].queryset = Institution.objects.visible_to(user).order_by(SortKey("name"))  # type: ignore[attr-defined]
        self._finish()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if bool(cleaned.get("contact")) == bool((cleaned.get("name") or "").strip()) and not self.errors:
            self.add_error("name", _("Choose a person or write a name, not both."))
        return cleaned

    def cleaned_data_of_guest(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("contact", "name", "institution", "sex")}


class BodyForm(CarefulForm):
    body = forms.ModelChoiceField(label=gettext_lazy("Body"), queryset=Body.objects.none())

    def __init__(self, data: Any = None, *, meeting: Meeting, user: Any) -> None:
        super().__init__(data)
        bodies = (
            Body.objects.visible_to(user)
            .existing_on(meeting.day)
            .exclude(pk__in=[meeting.body.pk] if meeting.body else [])
        )
        self.fields["body"].queryset = bodies.order_by(SortKey("name"))  # type: ignore[attr-defined]
        self._finish()


class AttendanceForm(forms.Form):
    """One row for each person called: there or not, sex, and the seat where somebody could take more than one; and who
    chaired, of those called."""

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    def __init__(
        self, data: Any = None, *, people: list[Attendee], seats: list[BodyMember], chair: Contact | None, revision: int
    ) -> None:
        super().__init__(data, initial={"revision": revision, "chair": str(chair.pk) if chair is not None else ""})
        self.people = people
        listed = [(str(one.contact_id), str(one)) for one in people if one.contact_id is not None]
        self.fields["chair"] = forms.ChoiceField(
            label=_("Who chaired"),
            choices=listed if chair is not None else [("", "—"), *listed],
            required=False,
            widget=forms.Select(attrs={"class": "form-select w-auto"}),
        )
        self.seats: dict[uuid.UUID, list[BodyMember]] = {}
        for one in people:
            self.fields[f"there_{one.pk}"] = forms.BooleanField(
                label=str(one),
                required=False,
                initial=bool(one.was_present),
                widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
            )
            known = one.contact.sex if one.contact is not None and one.sex == Sex.UNKNOWN else one.sex
            self.fields[f"sex_{one.pk}"] = forms.ChoiceField(
                label=_("Sex of %(person)s") % {"person": one},
                choices=Sex.choices,
                initial=known,
                widget=forms.Select(attrs={"class": "form-select w-auto"}),
            )
            could = [seat for seat in seats if one.contact_id in (seat.person_id, seat.deputy_id) and one.contact_id]
            if len(could) > 1:
                self.seats[one.pk] = could
                self.fields[f"seat_{one.pk}"] = forms.ChoiceField(
                    label=_("seat"),
                    choices=[(str(seat.pk), str(seat.institution.name)) for seat in could],
                    initial=str(one.seat_id),
                    widget=forms.Select(attrs={"class": "form-select w-auto"}),
                )

    def rows(self) -> list[dict[str, Any]]:
        return [
            {
                "person": one,
                "there": self[f"there_{one.pk}"],
                "sex": self[f"sex_{one.pk}"],
                "seat": self[f"seat_{one.pk}"] if one.pk in self.seats else None,
            }
            for one in self.people
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        taken: dict[Any, Attendee] = {}
        if not any(cleaned.get(f"there_{one.pk}") for one in self.people):
            self.add_error(None, _("Tick at least one person who was there. A meeting without anybody was not held."))
        for pk, presence in self._presences(cleaned).items():
            one = next(each for each in self.people if each.pk == pk)
            seat = presence.seat or one.seat_id
            if not presence.was_present or seat is None:
                continue
            if seat in taken:
                self.add_error(f"there_{pk}", _("The member and the deputy cannot both take the seat."))
            taken[seat] = one
        chaired = next((one for one in self.people if cleaned.get("chair") == str(one.contact_id)), None)
        if chaired is not None and not cleaned.get(f"there_{chaired.pk}"):
            self.add_error("chair", _("Whoever chaired was there: tick them, or choose somebody else."))
        return cleaned

    def _presences(self, cleaned: dict[str, Any]) -> dict[uuid.UUID, Presence]:
        found = {}
        for one in self.people:
            seat = cleaned.get(f"seat_{one.pk}")
            found[one.pk] = Presence(
                bool(cleaned.get(f"there_{one.pk}")),
                uuid.UUID(seat) if seat else None,
                cleaned.get(f"sex_{one.pk}") or "",
            )
        return found

    def presences(self) -> dict[uuid.UUID, Presence]:
        return self._presences(self.cleaned_data)

    def chaired(self) -> uuid.UUID | None:
        chosen = self.cleaned_data["chair"]
        return uuid.UUID(chosen) if chosen else None


class MinutesForm(forms.Form):
    """The text of a point in the language of the meeting, and in the others where it was translated."""

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    def __init__(self, data: Any = None, *, item: AgendaItem, texts: dict[str, str], revision: int) -> None:
        super().__init__(data, initial={"revision": revision, **texts})
        own = f"minutes_{column_of(item.meeting.language)}"
        for name in sorted(FIELDS, key=lambda one: one != own):
            self.fields[name] = forms.CharField(
                label=AgendaItem._meta.get_field(name).verbose_name,  # type: ignore[union-attr]
                max_length=LONGEST,
                required=False,
                strip=False,
                widget=forms.Textarea(
                    attrs={"rows": 12 if name == own else 4, "lang": name[-2:], "class": "form-control"}
                ),
            )
        self.first, *self.others = [self[name] for name in self.fields if name != "revision"]

    def texts(self) -> dict[str, str]:
        """With the line ends of the web made plain, or each save would look like a change."""
        return {name: (self.cleaned_data.get(name) or "").replace("\r\n", "\n") for name in FIELDS}


class CirculateForm(CarefulForm):
    comments_until = forms.DateField(
        label=gettext_lazy("Remarks until"),
        help_text=gettext_lazy("A weekend or holiday moves it, as the office's setting says."),
        widget=day_input(),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0, max_value=2**31 - 1)

    def __init__(self, data: Any = None, *, meeting: Meeting) -> None:
        until = meeting.comments_until or timezone.localdate() + timedelta(days=MINUTES_DAYS)
        super().__init__(data, initial={"comments_until": until, "revision": meeting.revision})
        self._finish()

    def clean_comments_until(self) -> Any:
        day = self.cleaned_data["comments_until"]
        if day < timezone.localdate():
            raise forms.ValidationError(_("This day is over. Give the institutions time to read."))
        if day > timezone.localdate() + timedelta(days=LONGEST_WAIT):
            raise forms.ValidationError(_("That is more than a year away. Check the year."))
        return day


class RemarkForm(KeptForm):
    institution = forms.ModelChoiceField(label=gettext_lazy("Institution"), queryset=Institution.objects.none())

    class Meta:
        model = MinutesComment
        fields = ("item", "text", "language")
        help_texts = {"item": gettext_lazy("Left empty when it is about the minutes as a whole.")}

    def __init__(self, *args: Any, meeting: Meeting, **kwargs: Any) -> None:
        self.meeting = meeting
        super().__init__(*args, **kwargs)

    def arrange(self) -> None:
        self.fields["item"].queryset = AgendaItem.objects.visible_to(self.user).filter(meeting=self.meeting)  # type: ignore[attr-defined]
        self.initial["language"] = self.user.language
        mine = Institution.objects.visible_to(self.user).filter(
            pk__in=self.user.consulted_institution_ids
            & set(self.meeting.attendees.values_list("institution", flat=True))
        )
        self.fields["institution"].queryset = mine.order_by(SortKey("name"))  # type: ignore[attr-defined]
        if len(found := list(mine[:2])) == 1:
            self.initial["institution"] = found[0].pk


class RemarkAnswerForm(CarefulForm):
    is_taken_over = forms.ChoiceField(
        label=gettext_lazy("The remark is"),
        choices=[("yes", gettext_lazy("taken over")), ("no", gettext_lazy("not taken over"))],
        widget=forms.RadioSelect,
    )
    answer = forms.CharField(
        label=gettext_lazy("Answer"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Needed when it is not taken over."),
    )

    def __init__(self, data: Any = None, *, comment: MinutesComment) -> None:
        taken = {True: "yes", False: "no", None: None}[comment.is_taken_over]
        super().__init__(data, initial={"is_taken_over": taken, "answer": comment.answer})
        self._finish()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("is_taken_over") == "no" and not (cleaned.get("answer") or "").strip():
            self.add_error("answer", _("Say why the remark is not taken over."))
        return cleaned


class AdoptForm(CarefulForm):
    adopted_in = forms.ModelChoiceField(
        label=gettext_lazy("Adopted in"),
        queryset=Meeting.objects.none(),
        help_text=gettext_lazy("A later meeting that was held and had these minutes on its agenda."),
    )

    def __init__(self, data: Any = None, *, meeting: Meeting, user: Any) -> None:
        super().__init__(data)
        later = Meeting.objects.visible_to(user).filter(pk__in=adopting_meetings(meeting).values("pk"))
        self.fields["adopted_in"].queryset = later.order_by("starts_at")  # type: ignore[attr-defined]
        self.initial["adopted_in"] = later.order_by("starts_at").first()
        self._finish()
