"""The forms of the referral mechanism: what looks like the identity of a person is pointed out before it is saved."""

from __future__ import annotations

from django import forms

from nrm.careful import looks_like_identity
from stakeholders.forms import records

__all__ = ["CarefulForm", "KeptForm"]


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


class KeptForm(Careful, records.KeptForm):
    """A form on a record with a key or a revision."""
