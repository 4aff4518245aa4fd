"""Forms of the log, of enquiries, of the public form and of questionnaires."""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Sequence
from typing import Any

from crispy_forms.layout import Layout
from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from onatc.files import AttachmentField
from onatc.forms import day_input, plain_helper
from onatc.help import looks_personal
from onatc.ids import new_id
from onatc.texts import SortKey
from stakeholders import questions
from stakeholders.forms.records import CarefulForm, KeptForm
from stakeholders.models import (
    AnswerTemplate,
    Communication,
    Contact,
    Country,
    Direction,
    Enquiry,
    EnquiryFrom,
    EnquiryWay,
    Institution,
    Question,
    QuestionAssignment,
    Questionnaire,
    User,
)


class QuickForm(KeptForm):
    """Six fields that take ten seconds; the page of the communication has the rest. Sent, unless received is chosen."""

    direction = forms.ChoiceField(
        label=gettext_lazy("Direction"),
        choices=Direction.choices,
        initial=Direction.OUT,
        required=False,
        widget=forms.RadioSelect,
    )
    whom = forms.ChoiceField(label=gettext_lazy("With whom"), required=False)
    attachments = AttachmentField(label=gettext_lazy("File"), required=False, help_text="")
    past = ("on",)

    class Meta:
        model = Communication
        fields = ("on", "channel", "direction", "about")

    def arrange(self) -> None:
        self.initial["on"] = timezone.localdate()
        institutions = Institution.objects.visible_to(self.user).order_by(SortKey("name"))
        countries = Country.objects.visible_to(self.user).order_by(SortKey("name"))
        self.fields["whom"].choices = [  # type: ignore[attr-defined]
            ("", "—"),
            (_("Institutions"), [(f"i{one.pk}", str(one.name)) for one in institutions]),
            (_("Countries"), [(f"c{one.pk}", str(one.name)) for one in countries]),
        ]
        self.order_fields(["key", "on", "channel", "direction", "whom", "about", "attachments"])

    def values(self) -> dict[str, Any]:
        whom = self.cleaned_data["whom"]
        return super().values() | {
            "direction": self.cleaned_data["direction"] or Direction.OUT,
            "institution": Institution.objects.visible_to(self.user).get(pk=whom[1:]) if whom[:1] == "i" else None,
            "country": Country.objects.visible_to(self.user).get(pk=whom[1:]) if whom[:1] == "c" else None,
            "language": self.user.language,
        }


class CommunicationForm(KeptForm):
    attachments = AttachmentField(label=gettext_lazy("Files"), required=False)
    past = ("on",)

    class Meta:
        model = Communication
        fields = (
            "on", "channel", "direction", "institution", "country", "contact", "with_whom", "about", "note", "language",
        )  # fmt: skip
        help_texts = {
            "with_whom": gettext_lazy("The unit or function. No names of people."),
            "note": gettext_lazy("Never about a case."),
        }

    def arrange(self) -> None:
        self.fields["country"].queryset = Country.objects.visible_to(self.user).order_by(SortKey("name"))  # type: ignore[attr-defined]
        self.fields["contact"].queryset = Contact.objects.visible_to(self.user).present()  # type: ignore[attr-defined]


class EnquiryForm(KeptForm):
    attachments = AttachmentField(label=gettext_lazy("Files that came with it"), required=False)
    past = ("received_on",)
    groups = (
        (gettext_lazy("Who asks"), ("sender_kind", "institution", "sender_name", "sender_email")),
        (gettext_lazy("What is asked"), ("subject", "question", "language", "attachments")),
    )

    class Meta:
        model = Enquiry
        fields = (
            "received_on", "due_on", "way", "sender_kind", "institution", "sender_name", "sender_email", "subject",
            "question", "language",
        )  # fmt: skip
        # The field's own name, "from", reads as the beginning of a time in other languages.
        labels = {"sender_kind": gettext_lazy("Who asks")}
        help_texts = {
            "due_on": gettext_lazy(
                "Left empty: by the office's setting. A weekend or holiday moves it, as another setting says."
            ),
            "sender_name": gettext_lazy("Removed some time after the answer unless the person is a contact."),
            "subject": gettext_lazy("Stays on record: name no person here."),
        }

    def arrange(self) -> None:
        self.fields["due_on"].required = False
        if self.instance.forgotten_at:
            for name in ("sender_name", "sender_email"):
                del self.fields[name]
        if self.is_new:
            self.initial.update({"received_on": timezone.localdate(), "language": self.user.language, "way": "email"})

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        received, due = cleaned.get("received_on"), cleaned.get("due_on")
        if received and due and due < received:
            self.add_error("due_on", _("An answer cannot be due before the question came."))
        self.not_dissolved("institution", received)
        return cleaned


class AssignEnquiryForm(CarefulForm):
    person = forms.ModelChoiceField(label=gettext_lazy("Who answers"), queryset=User.objects.none())

    def __init__(self, data: Any = None, *, user: Any, people: Any, enquiry: Enquiry) -> None:
        super().__init__(data, initial={"person": enquiry.assigned_to_id or user.pk})
        self.fields["person"].queryset = people  # type: ignore[attr-defined]
        self._finish()


class AnswerForm(KeptForm):
    attachments = AttachmentField(label=gettext_lazy("Files that go with it"), required=False)

    class Meta:
        model = Enquiry
        fields = ("answer", "answer_language")
        help_texts = {
            "answer": gettext_lazy("It goes out as it stands here, between greeting and signature. Name no victim.")
        }

    def arrange(self) -> None:
        self.fields["answer"].required = True
        self.fields["answer"].widget.attrs["rows"] = 14


class NoteForm(CarefulForm):
    note = forms.CharField(
        label=gettext_lazy("What should be changed?"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self._finish()


class WithdrawForm(CarefulForm):
    why = forms.CharField(
        label=gettext_lazy("Why is it taken back?"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("The institution reads this."),
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self._finish()


class CloseForm(CarefulForm):
    why = forms.ChoiceField(
        label=gettext_lazy("Why is there no answer?"),
        choices=[
            ("spam", pgettext_lazy("enquiry", "Spam, or makes no sense")),
            ("elsewhere", pgettext_lazy("enquiry", "Not for the office; passed on")),
            ("twice", pgettext_lazy("enquiry", "Asked twice")),
            ("withdrawn", pgettext_lazy("enquiry", "Taken back by the sender")),
            ("other", pgettext_lazy("enquiry", "Another reason")),
        ],
    )
    more = forms.CharField(label=gettext_lazy("More about it"), max_length=400, required=False)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self._finish()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("why") == "other" and not cleaned.get("more"):
            self.add_error("more", _("Say which."))
        return cleaned

    @property
    def reason(self) -> str:
        label = str(dict(self.fields["why"].choices)[self.cleaned_data["why"]])  # type: ignore[attr-defined]
        more = self.cleaned_data["more"]
        return f"{label}: {more}" if more else label


class SendAnswerForm(CarefulForm):
    way = forms.ChoiceField(label=gettext_lazy("How it is answered"))
    answered_on = forms.DateField(
        label=gettext_lazy("Answered on"),
        widget=day_input(),
        help_text=gettext_lazy("For a letter or a call. An e-mail goes today."),
    )
    past = ("answered_on",)

    def __init__(self, data: Any = None, *, enquiry: Enquiry) -> None:
        super().__init__(data, initial={"answered_on": timezone.localdate()})
        self.enquiry = enquiry
        ways = [(EnquiryWay.LETTER.value, _("by letter, sent already")), (EnquiryWay.PHONE.value, _("by telephone"))]
        if enquiry.sender_email:
            ways.insert(0, (EnquiryWay.EMAIL.value, _("by e-mail, sent now by the application")))
        self.fields["way"].choices = ways  # type: ignore[attr-defined]
        self._finish()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("answered_on") and cleaned["answered_on"] < self.enquiry.received_on:
            self.add_error("answered_on", _("The answer cannot lie before the question."))
        return cleaned


class TemplateForm(KeptForm):
    groups = (
        (gettext_lazy("Title"), ("title_sq", "title_sr", "title_en")),
        (gettext_lazy("Text"), ("text_sq", "text_sr", "text_en")),
    )

    class Meta:
        model = AnswerTemplate
        fields = ("title_sq", "title_sr", "title_en", "text_sq", "text_sr", "text_en", "is_offered")


# The public form


TOPICS = (
    ("phenomenon", gettext_lazy("Trafficking in human beings: information")),
    ("help", gettext_lazy("Help and services for victims")),
    ("figures", gettext_lazy("Figures and reports")),
    ("press", gettext_lazy("Request of the press")),
    ("cooperation", gettext_lazy("Cooperation and invitations")),
    ("other", gettext_lazy("Something else")),
)
NUMBERS = {
    2: gettext_lazy("two"),
    3: gettext_lazy("three"),
    4: gettext_lazy("four"),
    5: gettext_lazy("five"),
    6: gettext_lazy("six"),
    7: gettext_lazy("seven"),
    8: gettext_lazy("eight"),
    9: gettext_lazy("nine"),
}
STAMP_SALT, SUM_SALT = "ask", "ask-sum"
TOO_FAST_SECONDS, TOO_OLD_SECONDS = 4, 4 * 3600
MOST_LINKS = 2
LINK = re.compile(
    r"(?:https?://|www\.)[^\s,;<>\"'\[\]]*|<a\s|\[url"
    r"|(?<![@\w.-])[\w-]+(?:\.[\w-]+)*\.(?:com|net|org|info|biz|eu|al|ks|rs|me|io|co|ru|cn|xyz|top|shop|store|online|site|club|app)\b",
    re.I,
)
# Doubts that no sum takes away: a program counts as well as a person.
LASTING = {"honeypot", "links"}


def new_stamp() -> str:
    """When the form was shown, and the key of the one enquiry that it can make; signed."""
    return signing.dumps(str(new_id()), salt=STAMP_SALT)


class AskForm(forms.Form):
    """What anybody may ask. The subject is chosen, never typed: nothing that a stranger typed stands in a list, a title or
    the history.

    `suspicions` are the reasons to doubt that a person sent it; then a sum is asked, once, in words. The honeypot stands
    outside the sight of people and of screen readers; whoever fills it is a program. What carries many links, or a link
    for a name, is kept apart whatever the sum; repeated texts and floods the act tells (`receive_from_the_web`).
    """

    sender_kind = forms.ChoiceField(label=gettext_lazy("I write as"))
    topic = forms.ChoiceField(label=gettext_lazy("What it is about"), choices=[("", "—"), *TOPICS])
    question = forms.CharField(
        label=gettext_lazy("Your question"),
        max_length=4000,
        min_length=10,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=gettext_lazy("Do not write names, addresses or numbers of victims or suspects."),
    )
    sender_name = forms.CharField(
        label=gettext_lazy("Your name"),
        max_length=160,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        help_text=gettext_lazy("May stay empty."),
    )
    sender_email = forms.EmailField(
        label=gettext_lazy("Your e-mail address"),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        help_text=gettext_lazy("The answer goes there. It is removed some time after the answer."),
    )
    website = forms.CharField(
        label=gettext_lazy("Leave this field empty"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"}),
    )
    stamp = forms.CharField(widget=forms.HiddenInput, max_length=200)

    def __init__(self, data: Any = None, *, kinds: tuple[EnquiryFrom, ...] = ()) -> None:
        super().__init__(data, initial={"stamp": new_stamp()})
        self.fields["sender_kind"].choices = [(kind.value, kind.label) for kind in kinds]  # type: ignore[attr-defined]
        self.key: uuid.UUID | None = None
        self.suspicions: set[str] = set()
        self.sum: tuple[int, int] | None = None
        if self.is_bound and (data or {}).get("sum_of"):
            self._ask_sum(str(data.get("sum_of"))[:200])
        found = looks_personal(str((data or {}).get("question", ""))[:4000]) if self.is_bound else []
        self.found = found
        if found:
            self.fields["is_checked"] = forms.BooleanField(
                label=gettext_lazy("I have checked: this is not data of a victim or suspect."), required=False
            )
        self._arrange()

    def _arrange(self) -> None:
        shown = ["sender_kind", "topic", "question", *(["is_checked"] if self.found else []), "sender_name",
                 "sender_email", *(["sum_answer"] if self.sum else [])]  # fmt: skip
        self.helper = plain_helper()
        self.helper.layout = Layout(*shown)

    def _ask_sum(self, signed: str = "") -> None:
        """A sum in words, which a text browser and a screen reader can answer."""
        try:
            first, second = signing.loads(signed, salt=SUM_SALT, max_age=TOO_OLD_SECONDS) if signed else (0, 0)
        except (signing.BadSignature, ValueError, TypeError):
            first, second = 0, 0
        if not first:
            first, second = 2 + secrets.randbelow(8), 2 + secrets.randbelow(8)
            signed = signing.dumps([first, second], salt=SUM_SALT)
        self.sum, self.signed_sum = (first, second), signed
        self.fields["sum_answer"] = forms.CharField(
            label=_("How much is %(first)s plus %(second)s? Answer in figures.")
            % {"first": NUMBERS[first], "second": NUMBERS[second]},
            max_length=5,
            required=False,
            help_text=_("So that we know that a person writes."),
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.found and not cleaned.get("is_checked"):
            self.add_error(
                "question",
                _(
                    "This looks like data of a person. Take it out, or confirm below that it is not of a victim or suspect."
                ),
            )
        self._read_stamp(cleaned.get("stamp", ""))
        if cleaned.get("website"):
            self.suspicions.add("honeypot")
        if len(LINK.findall(cleaned.get("question", ""))) > MOST_LINKS:
            self.suspicions.add("links")
        if LINK.search(cleaned.get("sender_name", "")):
            self.suspicions.add("links")
        if self.sum is None and self.suspicions and not self.errors:
            self._ask_sum()
            self._arrange()
            self.add_error("sum_answer", _("Please answer this question too, and send again."))
        return cleaned

    def _read_stamp(self, stamp: str) -> None:
        try:
            self.key = uuid.UUID(signing.loads(stamp, salt=STAMP_SALT, max_age=TOO_OLD_SECONDS))
        except signing.SignatureExpired:
            self._renew(_("The page was open for a long time. Your text is still here: send it again."))
            return
        except (signing.BadSignature, ValueError, TypeError, AttributeError):
            self._renew(_("Send it once more, please: your text is still here."))
            return
        try:
            signing.loads(stamp, salt=STAMP_SALT, max_age=TOO_FAST_SECONDS)
            self.suspicions.add("fast")
        except signing.SignatureExpired:
            return

    def _renew(self, sentence: str) -> None:
        fresh: Any = self.data.copy()  # type: ignore[attr-defined]
        fresh["stamp"] = new_stamp()
        self.data = fresh
        raise ValidationError(sentence)

    @property
    def is_suspicious(self) -> bool:
        """After the sum: a person who answers it is believed, unless a doubt is `LASTING`."""
        if self.suspicions & LASTING:
            return True
        if self.sum is None:
            return False
        return self.cleaned_data.get("sum_answer", "").strip() != str(sum(self.sum))


# Questionnaires


class QuestionnaireForm(KeptForm):
    past = ("received_on",)

    class Meta:
        model = Questionnaire
        fields = ("title", "asked_by", "period", "language", "received_on", "due_on", "earlier")
        help_texts = {
            "due_on": gettext_lazy("A weekend or holiday moves it, as the office's setting says."),
            "earlier": gettext_lazy("Its answers are offered first."),
            "period": gettext_lazy("For example: third round, or 2026."),
        }

    def arrange(self) -> None:
        earlier = Questionnaire.objects.visible_to(self.user)
        self.fields["earlier"].queryset = earlier.exclude(pk=self.instance.pk)  # type: ignore[attr-defined]
        self.initial.setdefault("received_on", timezone.localdate())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("due_on") and cleaned.get("received_on") and cleaned["due_on"] < cleaned["received_on"]:
            self.add_error("due_on", _("An answer cannot be due before the question came."))
        return cleaned


class LoadForm(forms.Form):
    """Questions as pasted text or as a file; every bad row is named, and nothing is taken when there is one."""

    text = forms.CharField(
        label=gettext_lazy("Paste the questions"),
        required=False,
        max_length=400_000,
        widget=forms.Textarea(attrs={"rows": 12}),
        help_text=gettext_lazy("One question a line. A line that begins with # is the heading of those below it."),
    )
    file = forms.FileField(
        label=gettext_lazy("or a file"),
        required=False,
        widget=forms.ClearableFileInput(attrs={"accept": ".docx,.csv,.xlsx"}),
        help_text=gettext_lazy(
            "Word (DOCX), whose text you then look through, or CSV (UTF-8) or XLSX with the columns number, section, text; "
            "at most 8 MB."
        ),
        error_messages={"empty": gettext_lazy("The file is empty.")},
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    def __init__(self, data: Any = None, files: Any = None, *, questionnaire: Questionnaire) -> None:
        super().__init__(data, files, initial={"revision": questionnaire.revision})
        self.rows: list[questions.Row] = []
        self.helper = plain_helper()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        file, text = cleaned.get("file"), cleaned.get("text", "")
        if self.errors:
            return cleaned
        if bool(file) == bool(text.strip()):
            raise ValidationError(_("Paste the questions, or choose a file: one of the two."))
        if file is not None and (getattr(file, "was_cut_off", False) or file.size > questions.MAX_BYTES):
            self.add_error("file", _("The file is larger than 8 MB."))
            return cleaned
        if file is not None and (file.name or "").lower().endswith(".docx"):
            self._show_docx(file.read())
            return cleaned
        reading = questions.read_file(file.read(), file.name or "") if file else questions.read_text(text)
        for problem in reading.problems:
            self.add_error("file" if file else "text", problem)
        self.rows = reading.rows
        return cleaned

    def _show_docx(self, data: bytes) -> None:
        """Put the text of a Word document into the field: nothing is taken before somebody looked through it."""
        try:
            text = questions.text_of_docx(data)
        except ValidationError as error:
            self.add_error("file", error)
            return
        if not text:
            self.add_error("file", _("There is no question in it."))
            return
        data_with_text: Any = self.data.copy()  # type: ignore[attr-defined]
        data_with_text["text"] = text
        self.data = data_with_text
        self.add_error(
            "text",
            _(
                "This is the text of the document. Take out what is not a question, put # before the headings, then add them."
            ),
        )


class PutForm(forms.Form):
    """Many questions × many institutions."""

    questions = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Questions"), queryset=Question.objects.none(), widget=forms.CheckboxSelectMultiple
    )
    institutions = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Institutions"), queryset=Institution.objects.none(), widget=forms.CheckboxSelectMultiple
    )
    due_on = forms.DateField(
        label=gettext_lazy("Due on"),
        help_text=gettext_lazy("A weekend or holiday moves it, as the office's setting says."),
        widget=day_input(),
    )
    note = forms.CharField(
        label=gettext_lazy("What is asked of them"), max_length=500, required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, user: Any, chosen: Any, institutions: Any, due_on: Any) -> None:
        super().__init__(data, initial={"due_on": due_on})
        self.fields["questions"].queryset = chosen  # type: ignore[attr-defined]
        self.fields["institutions"].queryset = institutions  # type: ignore[attr-defined]
        self.helper = plain_helper()

    def clean_due_on(self) -> Any:
        if self.cleaned_data["due_on"] < timezone.localdate():
            raise ValidationError(_("This day has gone by."))
        return self.cleaned_data["due_on"]


class QuestionForm(KeptForm):
    class Meta:
        model = Question
        fields = ("number", "section", "text")


class QuestionAnswerForm(KeptForm):
    class Meta:
        model = Question
        fields = ("answer",)

    def arrange(self) -> None:
        self.fields["answer"].widget.attrs["rows"] = 14


class AssignmentForm(KeptForm):
    """`before` are the institution's own answers to earlier questions like this one; one of them may begin an empty one."""

    attachments = AttachmentField(label=gettext_lazy("Files"), required=False)
    before: Sequence[QuestionAssignment] = ()

    class Meta:
        model = QuestionAssignment
        fields = ("answer", "language")
        help_texts = {"answer": gettext_lazy("Figures and facts. Name no person and no case.")}

    def arrange(self) -> None:
        self.fields["answer"].widget.attrs["rows"] = 12
        if not self.instance.answer:
            self.initial["language"] = self.user.language

    def begin_with(self, key: str) -> None:
        if not self.instance.answer:
            for one in self.before:
                if str(one.pk) == key:
                    self.initial.update({"answer": one.answer, "language": one.language})


class SentForm(CarefulForm):
    sent_on = forms.DateField(label=gettext_lazy("Sent on"), widget=day_input())
    past = ("sent_on",)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"sent_on": timezone.localdate()})
        self._finish()
