"""The field's code lists and the places of the country: one source for forms, imports, tables and exports.

A code is never reused or renamed: it is retired with a date, and may name its successor.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc.history import tracked
from onatc.texts import Translated

DATA = Path(__file__).parent / "data"


@tracked
class CodeList(models.Model):
    id = models.SlugField(_("code list"), max_length=40, primary_key=True)
    title_sq = models.CharField(_("title in Albanian"), max_length=200)
    title_sr = models.CharField(_("title in Serbian"), max_length=200, blank=True)
    title_en = models.CharField(_("title in English"), max_length=200, blank=True)
    title = Translated("title")
    note = models.TextField(_("note"), blank=True)
    is_multi_value = models.BooleanField(_("several values"), default=False)

    class Meta:
        verbose_name = _("code list")
        verbose_name_plural = _("code lists")
        ordering = ["id"]

    def __str__(self) -> str:
        return str(self.title)


class CodeQuerySet(models.QuerySet["Code"]):
    def of(self, code_list: str, on: date | None = None) -> Self:
        """The codes of a list that are in use on a day (today unless told), in their order."""
        day = on or timezone.localdate()
        in_use = Q(retired_on__isnull=True) | Q(retired_on__gt=day)
        return self.filter(in_use, code_list=code_list).order_by("position", "code")

    def of_or_held(self, code_list: str, held: Iterable[Any]) -> Self:
        """What is offered today, and the codes (by key) that the record in hand has already, retired or not: what
        somebody chose yesterday is not lost when the form is saved again."""
        return self.of(code_list) | self.filter(pk__in=[key for key in held if key], code_list=code_list)


@tracked
class Code(models.Model):
    code_list = models.ForeignKey(CodeList, models.PROTECT, related_name="codes", verbose_name=_("code list"))
    code = models.CharField(_("code"), max_length=40)
    label_sq = models.CharField(_("label in Albanian"), max_length=200)
    label_sr = models.CharField(_("label in Serbian"), max_length=200, blank=True)
    label_en = models.CharField(_("label in English"), max_length=200, blank=True)
    label = Translated("label")
    position = models.PositiveSmallIntegerField(_("position"))
    mappings = models.JSONField(_("codes of other systems"), default=dict, blank=True)
    is_draft = models.BooleanField(_("labels to be reviewed"), default=False)
    retired_on = models.DateField(_("retired on"), null=True, blank=True)
    successor = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("successor")
    )

    objects = CodeQuerySet.as_manager()

    class Meta:
        verbose_name = _("code")
        verbose_name_plural = _("codes")
        ordering = ["code_list", "position", "code"]
        constraints = [models.UniqueConstraint(fields=["code_list", "code"], name="code_once_in_list")]

    def __str__(self) -> str:
        return str(self.label)

    def clean(self) -> None:
        if self.successor is None:
            return
        if self.successor.pk == self.pk or self.successor.code_list_id != self.code_list_id:
            raise ValidationError({"successor": _("The successor is another code of the same list.")})
        if self.retired_on is None:
            raise ValidationError({"retired_on": _("Only a code that is retired has a successor: name the day.")})


@tracked
class District(models.Model):
    code = models.SlugField(_("code"), max_length=20, primary_key=True)
    name_sq = models.CharField(_("name in Albanian"), max_length=80)
    name_sr = models.CharField(_("name in Serbian"), max_length=80, blank=True)
    name_en = models.CharField(_("name in English"), max_length=80, blank=True)
    name = Translated("name")

    class Meta:
        verbose_name = _("district")
        verbose_name_plural = _("districts")
        ordering = ["code"]

    def __str__(self) -> str:
        return str(self.name)


@tracked
class Municipality(models.Model):
    code = models.SlugField(_("code"), max_length=20, primary_key=True)
    name_sq = models.CharField(_("name in Albanian"), max_length=80)
    name_sr = models.CharField(_("name in Serbian"), max_length=80, blank=True)
    name_en = models.CharField(_("name in English"), max_length=80, blank=True)
    name = Translated("name")
    district = models.ForeignKey(District, models.PROTECT, related_name="municipalities", verbose_name=_("district"))
    latitude = models.DecimalField(_("latitude"), max_digits=7, decimal_places=4)
    longitude = models.DecimalField(_("longitude"), max_digits=7, decimal_places=4)

    class Meta:
        verbose_name = _("municipality")
        verbose_name_plural = _("municipalities")
        ordering = ["code"]

    def __str__(self) -> str:
        return str(self.name)


def load(get_model: Any) -> None:
    """Bring the shipped lists and places in; what is there already is left as the office has it.

    `get_model(name)` gives the model class: the migration passes historical ones, the command today's.
    """
    code_list_model, code_model = get_model("CodeList"), get_model("Code")
    lists = json.loads((DATA / "codelists.json").read_text())["lists"]
    known = set(code_list_model.objects.values_list("pk", flat=True))
    code_list_model.objects.bulk_create(
        code_list_model(
            id=row["id"],
            **{f"title_{column}": text for column, text in _columns(row["title"])},
            note=row["note"],
            is_multi_value=row["multi_value"],
        )
        for row in lists
        if row["id"] not in known
    )
    codes = set(code_model.objects.values_list("code_list_id", "code"))
    code_model.objects.bulk_create(
        code_model(
            code_list_id=row["id"],
            code=value["code"],
            **{f"label_{column}": text for column, text in _columns(value["labels"])},
            position=value["order"],
            mappings=value.get("mappings") or {},
            is_draft=value.get("draft", False),
        )
        for row in lists
        for value in row["values"]
        if (row["id"], value["code"]) not in codes
    )
    with (DATA / "municipalities.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    _load_places(get_model("District"), get_model("Municipality"), rows)


def _columns(labels: dict[str, str]) -> list[tuple[str, str]]:
    return [("sq", labels["sq"]), ("sr", labels["sr-Latn"]), ("en", labels["en"])]


def _load_places(district_model: Any, municipality_model: Any, rows: list[dict[str, str]]) -> None:
    """A district bears the name of its seat, whose municipality is in the file under the same name."""
    seats = {row["name_sq"].removesuffix(" e Jugut"): row for row in rows}
    known = set(district_model.objects.values_list("pk", flat=True))
    districts = {}
    for row in rows:
        seat = seats[row["district_sq"]]
        districts[seat["code"]] = district_model(
            code=seat["code"],
            name_sq=row["district_sq"],
            name_sr=seat["name_sr"].removeprefix("Južna "),
            name_en=row["district_en"],
        )
    district_model.objects.bulk_create(row for code, row in districts.items() if code not in known)
    known = set(municipality_model.objects.values_list("pk", flat=True))
    municipality_model.objects.bulk_create(
        municipality_model(
            code=row["code"],
            name_sq=row["name_sq"],
            name_sr=row["name_sr"],
            name_en=row["name_en"],
            district_id=seats[row["district_sq"]]["code"],
            latitude=row["latitude"],
            longitude=row["longitude"],
        )
        for row in rows
        if row["code"] not in known
    )
