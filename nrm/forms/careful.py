"""The forms of the referral mechanism: what looks like the identity of a person is pointed out before it is saved."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext as _

from nrm.careful import looks_like_identity, of_file_name
from onatc.files import AttachmentField
from stakeholders.forms import records

__all__ = ["CarefulForm", "CarefulOfFiles", "KeptForm"]


class Careful:
    """Mixed in before a form of stakeholders.forms.records: names, documents, births and initials count too."""

    def _looks_personal(self, name: str) -> list[str]:
        form: forms.Form = self  # type: ignore[assignment]
        field = form.fields[name]
        if not form.is_bound or type(field) is not forms.CharField:
            return []
        return looks_like_identity(str(form.data.get(form.add_prefix(name), ""))[: field.max_length])


class CarefulForm(Careful, records.CarefulForm):
    """A plain form; a subclass calls `_finish()` after its fields stand, as that of the cooperation does."""


class CarefulOfFiles(CarefulForm):
    """A plain form whose files go with a case: their names are kept, shown and sent on like any text."""

    def _looks_personal(self, name: str) -> list[str]:
        if not self.is_bound or not isinstance(self.fields[name], AttachmentField):
            return super()._looks_personal(name)
        files = self.files.getlist(self.add_prefix(name)) if hasattr(self.files, "getlist") else []
        return [found for file in files for found in of_file_name(file.name or "")]

    def _says(self, name: str) -> str:
        if not isinstance(self.fields[name], AttachmentField):
            return super()._says(name)
        return _(
            "The name of a file looks like data of a person: %(found)s. Give the file another name, or confirm below that it does not point to one, and choose the files again."
        )


class KeptForm(Careful, records.KeptForm):
    """A form on a record with a key or a revision."""
