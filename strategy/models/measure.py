"""What belongs to a measure besides its wording: milestones, dependencies, money, norms, risks, files, the rights check.

What is *planned* (milestones, budget lines, norms, risks, dependencies, tags) is part of a version and frozen with it;
`strategy.versioning` copies it to an amendment. What *happened* (a milestone reached, money committed and spent) and what
is about the measure as such (documents, rights checks) hangs on the row it was recorded on and is found by lineage.
"""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onatc.files import Attachment
from onatc.history import tracked
from onatc.ids import new_id
from onatc.texts import HTML_CODES, Translated, column_of
from onatc.vocabulary import Code
from stakeholders.models import Institution
from strategy.models.plan import Measure, frozen


@tracked
class Milestone(models.Model):
    """A dated step of a measure; reached when there is a `MilestoneReached` of its lineage."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    lineage = models.UUIDField(default=new_id, editable=False, db_index=True)
    measure = models.ForeignKey(Measure, models.CASCADE, related_name="milestones", verbose_name=_("measure"))
    title_sq = models.CharField(_("title in Albanian"), max_length=300, blank=True)
    title_sr = models.CharField(_("title in Serbian"), max_length=300, blank=True)
    title_en = models.CharField(_("title in English"), max_length=300, blank=True)
    title = Translated("title")
    due_on = models.DateField(_("due on"))

    class Meta:
        verbose_name = _("milestone")
        verbose_name_plural = _("milestones")
        triggers = [frozen()]
        ordering = ["measure", "due_on", "pk"]
        constraints = [models.UniqueConstraint(fields=["measure", "lineage"], name="milestone_lineage_once_in_measure")]

    def __str__(self) -> str:
        return str(self.title)


@tracked
class MilestoneReached(models.Model):
    """That a milestone was reached, and when; said by the lead institution or the office. Taken back with a reason it
    stays on record in the history."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    milestone = models.ForeignKey(Milestone, models.CASCADE, related_name="reached", verbose_name=_("milestone"))
    reached_on = models.DateField(_("reached on"))
    note = models.CharField(_("note"), max_length=500, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("on"), auto_now_add=True)

    class Meta:
        verbose_name = _("milestone reached")
        verbose_name_plural = _("milestones reached")
        ordering = ["milestone"]
        constraints = [models.UniqueConstraint(fields=["milestone"], name="milestone_reached_once")]

    def __str__(self) -> str:
        return str(self.milestone)


@tracked
class MeasureDependency(models.Model):
    """A measure that cannot be finished before another of the same version."""

    measure = models.ForeignKey(Measure, models.CASCADE, related_name="dependencies", verbose_name=_("measure"))
    needs = models.ForeignKey(Measure, models.CASCADE, related_name="needed_by", verbose_name=_("needs first"))
    note = models.CharField(_("note"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("dependency of a measure")
        verbose_name_plural = _("dependencies of measures")
        triggers = [frozen()]
        ordering = ["measure", "needs__position"]
        constraints = [
            models.UniqueConstraint(fields=["measure", "needs"], name="measure_dependency_once"),
            models.CheckConstraint(condition=~Q(measure=F("needs")), name="measure_dependency_is_another"),
        ]

    def __str__(self) -> str:
        return str(self.needs)


class BudgetSource(models.TextChoices):
    STATE = "state", _("Kosovo budget")
    DONOR = "donor", _("donor")
    OWN = "own", _("own funds of the institution")
    STATE_AND_DONOR = "state_and_donor", _("Kosovo budget and donor")
    NOT_FUNDED = "not_funded", _("not yet funded")


@tracked
class BudgetLine(models.Model):
    """What is planned of one source in one year, in cents; an empty year is the whole term, when the plan gives no years.

    `reference` is the line of the state budget or the number of the donor's project, `funder` the donor."""

    lineage = models.UUIDField(default=new_id, db_default=RandomUUID(), editable=False, db_index=True)
    measure = models.ForeignKey(Measure, models.CASCADE, related_name="budget_lines", verbose_name=_("measure"))
    year = models.PositiveSmallIntegerField(_("year"), null=True, blank=True)
    source = models.CharField(_("source of funds"), max_length=20, choices=BudgetSource)
    reference = models.CharField(_("budget line or project"), max_length=60, blank=True, db_default="")
    funder = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("donor")
    )
    planned_cents = models.PositiveBigIntegerField(_("planned, in cents"))

    class Meta:
        verbose_name = _("budget line")
        verbose_name_plural = _("budget lines")
        triggers = [frozen()]
        ordering = ["measure", "year", "source", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["measure", "year", "source", "reference", "funder"],
                nulls_distinct=False,
                name="budget_line_once",
                violation_error_message=_("There is a line of this year, source and reference already."),
            ),
            models.UniqueConstraint(fields=["measure", "lineage"], name="budget_line_lineage_once_in_measure"),
            models.CheckConstraint(
                condition=Q(year__isnull=True) | Q(year__gte=1990, year__lte=2100), name="budget_line_year_is_sound"
            ),
        ]

    def __str__(self) -> str:
        return self.get_source_display()


@tracked
class BudgetExecution(models.Model):
    """What of a line is committed and spent as of a day, in cents. Never changed: a later statement stands beside it,
    and of all statements on a lineage the one with the latest `as_of`, then the latest `at`, counts."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    line = models.ForeignKey(BudgetLine, models.CASCADE, related_name="executions", verbose_name=_("budget line"))
    as_of = models.DateField(_("as of"))
    committed_cents = models.PositiveBigIntegerField(_("committed, in cents"))
    spent_cents = models.PositiveBigIntegerField(_("spent, in cents"))
    note = models.CharField(_("note"), max_length=500, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("on"), auto_now_add=True)

    class Meta:
        verbose_name = _("committed and spent")
        verbose_name_plural = _("committed and spent")
        ordering = ["line", "-as_of", "-at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(spent_cents__lte=F("committed_cents")),
                name="budget_execution_spent_was_committed",
                violation_error_message=_("More is spent than was committed."),
            )
        ]

    def __str__(self) -> str:
        return str(self.line)


class NormKind(models.TextChoices):
    CONSTITUTION = "constitution", _("Constitution of Kosovo")
    CONVENTION = "convention", _("convention")
    LAW = "law", _("law")
    OTHER = "other", _("other norm")


# The acts that ship, by what `Norm.act` calls them.
ACTS: dict[str, Any] = {
    "Constitution": _("Constitution of Kosovo"),
    "CETS 197": _("Convention on Action against Trafficking in Human Beings (CETS 197)"),
    "CETS 210": _("Istanbul Convention (CETS 210)"),
    "CRC": _("Convention on the Rights of the Child"),
    "Palermo Protocol": _("Palermo Protocol on trafficking in persons"),
    "04/L-218": _("Law 04/L-218 on preventing and combating trafficking"),
}


@tracked
class Norm(models.Model):
    """An article of the Constitution, of a convention or of a law, once for the whole application. What GRETA, the EU or
    the US report ask for are recommendations, not norms."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(_("kind"), max_length=20, choices=NormKind)
    act = models.CharField(_("act"), max_length=120)
    reference = models.CharField(_("article"), max_length=60)
    title_sq = models.CharField(_("title in Albanian"), max_length=300)
    title_sr = models.CharField(_("title in Serbian"), max_length=300, blank=True)
    title_en = models.CharField(_("title in English"), max_length=300, blank=True)
    title = Translated("title")
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("norm")
        verbose_name_plural = _("norms")
        ordering = ["kind", "act", "position", "reference"]
        constraints = [models.UniqueConstraint(fields=["act", "reference"], name="norm_once")]

    def __str__(self) -> str:
        return gettext("%(act)s, Article %(number)s") % {"act": self.act_name, "number": self.reference}

    def get_absolute_url(self) -> str:
        return reverse("strategy:norm-detail", args=[self.pk])

    @property
    def act_name(self) -> str:
        """The name of a shipped act in the active language; another one as it was entered."""
        return str(ACTS.get(self.act, self.act))


@tracked
class MeasureNorm(models.Model):
    measure = models.ForeignKey(Measure, models.CASCADE, related_name="norms", verbose_name=_("measure"))
    norm = models.ForeignKey(Norm, models.PROTECT, related_name="measures", verbose_name=_("norm"))

    class Meta:
        verbose_name = _("norm that a measure serves")
        verbose_name_plural = _("norms that measures serve")
        triggers = [frozen()]
        ordering = ["measure", "norm"]
        constraints = [models.UniqueConstraint(fields=["measure", "norm"], name="measure_norm_once")]

    def __str__(self) -> str:
        return str(self.norm)


@tracked
class MeasureTag(models.Model):
    """A word of the code list `measure_tag` by which measures are gathered across goals."""

    measure = models.ForeignKey(Measure, models.CASCADE, related_name="tags", verbose_name=_("measure"))
    tag = models.ForeignKey(Code, models.PROTECT, related_name="+", verbose_name=_("tag"))

    class Meta:
        verbose_name = _("tag of a measure")
        verbose_name_plural = _("tags of measures")
        triggers = [frozen()]
        ordering = ["measure", "tag__position"]
        constraints = [models.UniqueConstraint(fields=["measure", "tag"], name="measure_tag_once")]

    def __str__(self) -> str:
        return str(self.tag)


class RiskKind(models.TextChoices):
    RISK = "risk", _("risk")
    ASSUMPTION = "assumption", _("assumption")


class Level(models.TextChoices):
    LOW = "low", _("low")
    MEDIUM = "medium", _("medium")
    HIGH = "high", _("high")


@tracked
class MeasureRisk(models.Model):
    """What could go wrong and what is done about it; or what the measure takes for granted."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    measure = models.ForeignKey(Measure, models.CASCADE, related_name="risks", verbose_name=_("measure"))
    kind = models.CharField(_("kind"), max_length=10, choices=RiskKind, default=RiskKind.RISK)
    text_sq = models.CharField(_("text in Albanian"), max_length=500, blank=True)
    text_sr = models.CharField(_("text in Serbian"), max_length=500, blank=True)
    text_en = models.CharField(_("text in English"), max_length=500, blank=True)
    text = Translated("text")
    level = models.CharField(_("level"), max_length=10, choices=Level, default=Level.MEDIUM)
    response_sq = models.CharField(_("response in Albanian"), max_length=500, blank=True)
    response_sr = models.CharField(_("response in Serbian"), max_length=500, blank=True)
    response_en = models.CharField(_("response in English"), max_length=500, blank=True)
    response = Translated("response")

    class Meta:
        verbose_name = _("risk or assumption")
        verbose_name_plural = _("risks and assumptions")
        triggers = [frozen()]
        ordering = ["measure", "kind", "pk"]

    def __str__(self) -> str:
        return str(self.text)


class MeasureDocumentQuerySet(models.QuerySet["MeasureDocument"]):
    def visible_to(self, user: Any) -> Self:
        """Whoever sees a measure of the lineage, in any version, sees its documents."""
        return self.filter(measure__lineage__in=Measure.objects.visible_to(user).values("lineage"))


@tracked
class MeasureDocument(Attachment):
    measure = models.ForeignKey(Measure, models.PROTECT, related_name="documents", verbose_name=_("measure"))
    title = models.CharField(_("title"), max_length=300)

    objects = MeasureDocumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("document of a measure")
        verbose_name_plural = _("documents of measures")
        ordering = ["-uploaded_at"]

    def get_absolute_url(self) -> str:
        return reverse("strategy:document-download", args=[self.pk])


class RightsOutcome(models.TextChoices):
    IN_LINE = "in_line", _("in line with human rights")
    CONDITIONS = "conditions", _("in line on conditions")
    NOT_IN_LINE = "not_in_line", _("not in line")


@tracked
class RightsCheck(models.Model):
    """The check of a measure against the Constitution and human-rights standards (Article 8.4.7), by whom and when. A new
    check stands beside the earlier ones; the latest counts. `answers` maps the questions of `strategy.rights` to `yes`,
    `no`, `not_applicable`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    measure = models.ForeignKey(Measure, models.PROTECT, related_name="rights_checks", verbose_name=_("measure"))
    outcome = models.CharField(_("outcome"), max_length=20, choices=RightsOutcome)
    answers = models.JSONField(_("answers"), default=dict)
    remarks = models.TextField(_("remarks"), max_length=2000, blank=True)
    language = models.CharField(_("language of the text"), max_length=10, choices=settings.LANGUAGES, default="sq")
    assessed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("assessed by")
    )
    assessed_on = models.DateField(_("assessed on"))
    at = models.DateTimeField(_("recorded"), auto_now_add=True)

    class Meta:
        verbose_name = _("human-rights check")
        verbose_name_plural = _("human-rights checks")
        ordering = ["-assessed_on", "-at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="in_line") | ~Q(remarks=""), name="rights_check_says_why_not_in_line"
            )
        ]

    def __str__(self) -> str:
        return self.get_outcome_display()

    @property
    def html_language(self) -> str:
        return HTML_CODES[column_of(self.language)]
