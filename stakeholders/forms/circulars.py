"""Forms of circulars and of documents of the library: what they say, and for whom they are."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc.files import AttachmentField
from onatc.forms import day_field
from onatc.texts import COLUMNS, SortKey
from stakeholders.forms.records import CarefulForm, KeptForm
from stakeholders.models import (
    Body,
    Circular,
    Institution,
    InstitutionKind,
    Level,
    LibraryDocument,
)


def _bodies(user: Any, held: list[Any]) -> Any:
    bodies = Body.objects.visible_to(user)
    return (bodies.existing_on(timezone.localdate()) | bodies.filter(pk__in=held)).order_by(SortKey("name"))


def _ticks(label: Any, **options: Any) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(label=label, required=False, widget=forms.CheckboxSelectMultiple, **options)


class CircularForm(KeptForm):
    bodies = forms.ModelMultipleChoiceField(
        label=_("Members of"),
        queryset=Body.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Whoever sits there on the day of the sending, and who stands in."),
    )
    kinds = _ticks(_("Kinds of institution"), choices=InstitutionKind.choices)
    levels = _ticks(
        _("Levels"),
        choices=Level.choices,
        help_text=_("With kinds and levels: institutions of one of these kinds on one of these levels."),
    )
    institutions = forms.ModelMultipleChoiceField(
        label=_("Institutions by name"),
        queryset=Institution.objects.none(),
        required=False,
        widget=forms.SelectMultiple(attrs={"size": 8}),
    )
    groups = (
        (_("In Albanian"), ("title_sq", "text_sq")),
        (_("In Serbian"), ("title_sr", "text_sr")),
        (_("In English"), ("title_en", "text_en")),
        (_("For whom"), ("bodies", "kinds", "levels", "institutions")),
        (_("Confirmation"), ("asks_confirmation", "confirm_by")),
    )

    class Meta:
        model = Circular
        fields = (
            "kind", "title_sq", "text_sq", "title_sr", "text_sr", "title_en", "text_en", "kinds", "levels",
            "asks_confirmation", "confirm_by",
        )  # fmt: skip
        help_texts = {
            "confirm_by": _("Empty: no day is named. A weekend or holiday moves it, as the office's setting says.")
        }

    def arrange(self) -> None:
        fields: Any = self.fields
        bodies = [] if self.is_new else list(self.instance.bodies.values_list("pk", flat=True))
        named = [] if self.is_new else list(self.instance.institutions.values_list("pk", flat=True))
        fields["bodies"].queryset = _bodies(self.user, bodies)
        institutions = Institution.objects.visible_to(self.user)
        fields["institutions"].queryset = (
            institutions.existing_on(timezone.localdate()) | institutions.filter(pk__in=named)
        ).order_by(SortKey("name"))
        self.initial.update({"bodies": bodies, "institutions": named})
        for column in COLUMNS:
            fields[f"text_{column}"].widget.attrs["rows"] = 8

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for column in COLUMNS:
            if (
                cleaned.get(f"text_{column}")
                and not cleaned.get(f"title_{column}")
                and not self.errors.get(f"title_{column}")
            ):
                self.add_error(f"title_{column}", _("A text needs its title."))
        day = cleaned.get("confirm_by")
        if day and not cleaned.get("asks_confirmation"):
            cleaned["confirm_by"] = None
        elif day and day < timezone.localdate() and day != self.instance.confirm_by:
            self.add_error("confirm_by", _("This day has passed."))
        return cleaned


class CircularFileForm(CarefulForm):
    attachments = AttachmentField(label=_("Files"))
    language = forms.ChoiceField(
        label=_("For readers of"), required=False, choices=[("", _("every language")), *settings.LANGUAGES]
    )

    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files)
        self._finish()


class DocumentForm(KeptForm):
    bodies = forms.ModelMultipleChoiceField(
        label=_("For the members of"),
        queryset=Body.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("When it is not for all institutions."),
    )
    groups = (
        (_("Title"), ("title_sq", "title_sr", "title_en")),
        (_("What it is"), ("about", "language")),
        (_("Who may read it"), ("is_for_all", "bodies")),
    )

    class Meta:
        model = LibraryDocument
        fields = ("kind", "title_sq", "title_sr", "title_en", "about", "language", "is_for_all")

    def arrange(self) -> None:
        fields: Any = self.fields
        held = [] if self.is_new else list(self.instance.readers.values_list("body", flat=True))
        fields["bodies"].queryset = _bodies(self.user, held)
        self.initial["bodies"] = held
        if self.is_new:
            self.initial.setdefault("language", self.user.language)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not cleaned.get("is_for_all") and not cleaned.get("bodies") and "bodies" not in self.errors:
            self.add_error("bodies", _("Say for whom it is: all institutions, or the members of a body."))
        return cleaned


class VersionForm(CarefulForm):
    attachments = AttachmentField(
        label=_("File"), widget=forms.ClearableFileInput, help_text=_("One file; at most 20 MB.")
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    on = day_field(_("Date of the document"))
    note = forms.CharField(label=_("What changed"), max_length=500, required=False)
    past = ("on",)

    def __init__(self, data: Any = None, files: Any = None, *, document: LibraryDocument) -> None:
        super().__init__(data, files, initial={"language": document.language, "on": timezone.localdate()})
        self._finish()
