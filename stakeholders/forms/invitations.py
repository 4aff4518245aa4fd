"""Answers to calls, as they come: by a person, told to the office, or as a file of a calendar program."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from onatc.forms import PlainSelect
from stakeholders.forms.accounts import PlainForm
from stakeholders.ics import MAX_REPLY_BYTES
from stakeholders.models import Answer, Attendee, Body, Meeting, User

GIVEN = [(one.value, one.label) for one in (Answer.YES, Answer.NO, Answer.MAYBE)]
NOTE_LENGTH = 300


class AnswerForm(PlainForm):
    """The answer is the button that was pressed."""

    answer = forms.ChoiceField(
        choices=GIVEN,
        widget=forms.HiddenInput,
        error_messages={"required": gettext_lazy("Press one of the three answers.")},
    )
    note = forms.CharField(
        label=pgettext_lazy("invitation", "Note"),
        max_length=NOTE_LENGTH,
        required=False,
        help_text=gettext_lazy("For example who comes in your place. The office reads it."),
    )


class ToldForm(PlainForm):
    attendee = forms.ModelChoiceField(
        label=gettext_lazy("Who answered"), queryset=Attendee.objects.none(), widget=PlainSelect
    )
    answer = forms.ChoiceField(label=gettext_lazy("Answer"), choices=GIVEN, widget=PlainSelect)
    note = forms.CharField(label=pgettext_lazy("invitation", "Note"), max_length=NOTE_LENGTH, required=False)

    def __init__(self, *args: Any, meeting: Meeting, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        called = Attendee.objects.visible_to(user).filter(meeting=meeting).select_related("contact", "institution")
        self.fields["attendee"].queryset = called.order_by("contact__full_name", "guest_name", "pk")  # type: ignore[attr-defined]


class ReplyForm(PlainForm):
    reply = forms.FileField(
        label=gettext_lazy("Answer of a calendar program"),
        help_text=gettext_lazy("The file with the extension .ics that came with the mail."),
        max_length=200,
        widget=forms.FileInput(attrs={"accept": ".ics,text/calendar"}),
        error_messages={"empty": gettext_lazy("The file is empty.")},
    )

    def clean_reply(self) -> bytes:
        file: UploadedFile = self.cleaned_data["reply"]
        if (file.size or 0) > MAX_REPLY_BYTES:
            raise forms.ValidationError(_("This file is too large for an answer from a calendar."))
        return file.read()


class FeedForm(PlainForm):
    body = forms.ModelChoiceField(
        label=gettext_lazy("What the feed shows"),
        queryset=Body.objects.none(),
        required=False,
        empty_label=gettext_lazy("everything in my calendar"),
        widget=PlainSelect,
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["body"].queryset = Body.objects.visible_to(user).order_by("code")  # type: ignore[attr-defined]
