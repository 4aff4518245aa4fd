"""Studies with their recommendations, best practices and trends (Article 8.4.3)."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from onatc.files import Attachment
from onatc.history import tracked
from onatc.ids import new_id
from onatc.models import Municipality
from onatc.texts import Translated
from stakeholders.models import Institution
from strategy.models.legal import web_address
from strategy.models.plan import Measure


class Topic(models.TextChoices):
    """The fields of the strategy, and those across them."""

    PREVENTION = "prevention", _("prevention")
    IDENTIFICATION = "identification", _("identification")
    PROTECTION = "protection", _("protection")
    PROSECUTION = "prosecution", pgettext_lazy("topic", "prosecution")
    REINTEGRATION = "reintegration", _("reintegration")
    CHILDREN = "children", _("children")
    LABOUR = "labour", _("labour exploitation")
    COORDINATION = "coordination", _("coordination")
    DATA = "data", _("data and monitoring")


class StudyKind(models.TextChoices):
    STUDY = "study", _("study")
    ASSESSMENT = "assessment", _("assessment")
    SURVEY = "survey", _("survey")
    EVALUATION = "evaluation", _("evaluation")


class StudyState(models.TextChoices):
    PROPOSED = "proposed", _("proposed")
    APPROVED = "approved", pgettext_lazy("study", "approved")
    UNDER_WAY = "under_way", _("under way")
    DONE = "done", pgettext_lazy("study", "done")
    DROPPED = "dropped", pgettext_lazy("study", "dropped")


def _published(records: Any, user: Any) -> Any:
    """The office all; whoever else sees the plan what is published."""
    if not user.is_authenticated or not user.sees_plan:
        return records.none()
    return records if user.is_office else records.filter(published_on__isnull=False)


class StudyQuerySet(models.QuerySet["Study"]):
    def visible_to(self, user: Any) -> Self:
        """The office all; others what is published."""
        return _published(self, user)  # type: ignore[no-any-return]


@tracked
class Study(models.Model):
    """A piece of research: proposed, approved, under way, done, or dropped with the reason.

    It is not under way before it is written how people are protected, and who approved that. No identity of a victim is
    stored.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    title_sq = models.CharField(_("title in Albanian"), max_length=300, blank=True)
    title_sr = models.CharField(_("title in Serbian"), max_length=300, blank=True)
    title_en = models.CharField(_("title in English"), max_length=300, blank=True)
    title = Translated("title")
    kind = models.CharField(_("kind"), max_length=20, choices=StudyKind)
    topic = models.CharField(_("topic"), max_length=20, choices=Topic)
    state = models.CharField(_("state"), max_length=20, choices=StudyState, default=StudyState.PROPOSED)
    language = models.CharField(
        _("language of question, method and ethics"), max_length=10, choices=settings.LANGUAGES, default="sq"
    )
    question = models.TextField(_("question"), max_length=2000)
    method = models.TextField(_("method"), max_length=4000, blank=True)
    ethics = models.TextField(_("how people are protected"), max_length=4000, blank=True)
    ethics_by = models.CharField(_("ethics approved by"), max_length=200, blank=True)
    ethics_on = models.DateField(_("ethics approved on"), null=True, blank=True)
    funder = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("funder")
    )
    funder_name = models.CharField(_("another funder"), max_length=200, blank=True)
    partners = models.ManyToManyField(
        Institution, through="StudyPartner", related_name="+", verbose_name=_("partner institutions")
    )
    planned_start = models.DateField(_("planned start"), null=True, blank=True)
    planned_end = models.DateField(_("planned end"), null=True, blank=True)
    started_on = models.DateField(_("started on"), null=True, blank=True)
    ended_on = models.DateField(_("done on"), null=True, blank=True)
    findings_sq = models.TextField(_("findings in Albanian"), max_length=8000, blank=True)
    findings_sr = models.TextField(_("findings in Serbian"), max_length=8000, blank=True)
    findings_en = models.TextField(_("findings in English"), max_length=8000, blank=True)
    findings = Translated("findings")
    link = models.URLField(_("link to the publication"), max_length=300, blank=True, validators=[web_address])
    published_on = models.DateField(_("published on"), null=True, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("responsible")
    )
    created_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    revision = models.PositiveIntegerField(default=0)

    objects = StudyQuerySet.as_manager()

    class Meta:
        verbose_name = _("study")
        verbose_name_plural = _("studies")
        ordering = ["-created_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(title_sq="", title_sr="", title_en=""),
                name="study_has_a_title",
                violation_error_message=_("Write the title in one language at least."),
            ),
            models.CheckConstraint(
                condition=Q(planned_start__isnull=True)
                | Q(planned_end__isnull=True)
                | Q(planned_end__gte=F("planned_start")),
                name="study_planned_in_order",
                violation_error_message=_("The planned end must not lie before the planned start."),
            ),
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True) | Q(started_on__isnull=False, ended_on__gte=F("started_on")),
                name="study_done_after_it_started",
                violation_error_message=_("A study cannot be done before it started."),
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["under_way", "done"])
                | Q(started_on__isnull=False, ethics_on__isnull=False, ethics_on__lte=F("started_on"))
                & ~Q(ethics="")
                & ~Q(ethics_by=""),
                name="study_protects_people_before_it_starts",
                violation_error_message=_(
                    "Before a study is under way: write how people are protected, who approved it, and on which day before the start."
                ),
            ),
            models.CheckConstraint(
                condition=~Q(state="done")
                | Q(ended_on__isnull=False) & ~Q(findings_sq="", findings_sr="", findings_en=""),
                name="study_done_with_findings",
                violation_error_message=_("A study is done with its findings, in one language at least."),
            ),
            models.CheckConstraint(
                condition=Q(published_on__isnull=True) | Q(state="done", published_on__gte=F("ended_on")),
                name="study_published_when_done",
                violation_error_message=_("Only a study that is done is published."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.title)

    def get_absolute_url(self) -> str:
        return reverse("strategy:study-detail", args=[self.pk])


@tracked
class StudyPartner(models.Model):
    study = models.ForeignKey(Study, models.CASCADE, related_name="partnerships", verbose_name=_("study"))
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="+", verbose_name=_("partner institution")
    )

    class Meta:
        verbose_name = _("partner in a study")
        verbose_name_plural = _("partners in studies")
        ordering = ["study", "institution__code"]
        constraints = [models.UniqueConstraint(fields=["study", "institution"], name="study_partner_once")]

    def __str__(self) -> str:
        return str(self.institution)


@tracked
class StudyStep(models.Model):
    """The study came into a state on a day."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    study = models.ForeignKey(Study, models.CASCADE, related_name="steps", verbose_name=_("study"))
    state = models.CharField(_("state"), max_length=20, choices=StudyState)
    on = models.DateField(_("date"))
    reason = models.CharField(_("reason"), max_length=1000, blank=True)
    language = models.CharField(_("language of the text"), max_length=10, choices=settings.LANGUAGES, default="sq")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("recorded"), auto_now_add=True)

    class Meta:
        verbose_name = _("step of a study")
        verbose_name_plural = _("steps of studies")
        ordering = ["-on", "-at"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="dropped") | ~Q(reason=""),
                name="study_dropped_with_reason",
                violation_error_message=_("Say why the study is dropped."),
            )
        ]

    def __str__(self) -> str:
        return self.get_state_display()


class StudyFileQuerySet(models.QuerySet["StudyFile"]):
    def visible_to(self, user: Any) -> Self:
        """The office all; others those that belong to a publication."""
        files = self.filter(study__in=Study.objects.visible_to(user).values("pk"))
        return files if user.is_office else files.filter(is_public=True)


@tracked
class StudyFile(Attachment):
    study = models.ForeignKey(Study, models.PROTECT, related_name="files", verbose_name=_("study"))
    is_public = models.BooleanField(_("published with the study"), default=False)

    objects = StudyFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("file of a study")
        verbose_name_plural = _("files of studies")
        ordering = ["uploaded_at"]

    def get_absolute_url(self) -> str:
        return reverse("strategy:study-file", args=[self.pk])


class AdviceState(models.TextChoices):
    OPEN = "open", _("open")
    TAKEN_UP = "taken_up", _("taken up")
    DONE = "done", pgettext_lazy("study", "done")
    REJECTED = "rejected", _("rejected")


class StudyRecommendationQuerySet(models.QuerySet["StudyRecommendation"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(study__in=Study.objects.visible_to(user).values("pk"))


@tracked
class StudyRecommendation(models.Model):
    """What a study recommends, and what follows from it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    study = models.ForeignKey(Study, models.PROTECT, related_name="recommendations", verbose_name=_("study"))
    number = models.PositiveSmallIntegerField(_("number"))
    text_sq = models.TextField(_("text in Albanian"), max_length=2000, blank=True)
    text_sr = models.TextField(_("text in Serbian"), max_length=2000, blank=True)
    text_en = models.TextField(_("text in English"), max_length=2000, blank=True)
    text = Translated("text")
    state = models.CharField(_("state"), max_length=20, choices=AdviceState, default=AdviceState.OPEN)
    state_on = models.DateField(_("since"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=1000, blank=True)
    revision = models.PositiveIntegerField(default=0)

    objects = StudyRecommendationQuerySet.as_manager()

    class Meta:
        verbose_name = _("recommendation of a study")
        verbose_name_plural = _("recommendations of studies")
        ordering = ["study", "number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="study_recommendation_number_once"),
            models.CheckConstraint(
                condition=~Q(text_sq="", text_sr="", text_en=""),
                name="study_recommendation_has_a_text",
                violation_error_message=_("Write the text in one language at least."),
            ),
            models.CheckConstraint(
                condition=Q(state="open") | Q(state_on__isnull=False),
                name="study_recommendation_state_dated",
                violation_error_message=_("Say since when."),
            ),
            models.CheckConstraint(
                condition=~Q(state="rejected") | ~Q(reason=""),
                name="study_recommendation_rejected_with_reason",
                violation_error_message=_("Say why it is rejected."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number}. {self.text}"

    def get_absolute_url(self) -> str:
        return f"{reverse('strategy:study-detail', args=[self.study_id])}#recommendation-{self.number}"


@tracked
class RecommendedMeasure(models.Model):
    """A measure that takes a recommendation up, followed by the measure's lineage."""

    recommendation = models.ForeignKey(
        StudyRecommendation, models.CASCADE, related_name="links", verbose_name=_("recommendation of a study")
    )
    measure = models.ForeignKey(Measure, models.PROTECT, related_name="+", verbose_name=_("measure"))

    class Meta:
        verbose_name = _("measure that takes a recommendation up")
        verbose_name_plural = _("measures that take recommendations up")
        ordering = ["recommendation", "measure__position"]
        constraints = [models.UniqueConstraint(fields=["recommendation", "measure"], name="recommended_measure_once")]

    def __str__(self) -> str:
        return str(self.measure)


class EvidenceLevel(models.TextChoices):
    EVALUATED = "evaluated", _("evaluated independently")
    MONITORED = "monitored", _("followed with figures")
    DESCRIBED = "described", _("described by those who did it")
    OPINION = "opinion", _("opinion of experts")


class PracticeQuerySet(models.QuerySet["Practice"]):
    def visible_to(self, user: Any) -> Self:
        """The office all; others what is published."""
        return _published(self, user)  # type: ignore[no-any-return]


@tracked
class Practice(models.Model):
    """A best practice: what was done where, why it worked, on which evidence, and how it could be used here."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    title_sq = models.CharField(_("title in Albanian"), max_length=300, blank=True)
    title_sr = models.CharField(_("title in Serbian"), max_length=300, blank=True)
    title_en = models.CharField(_("title in English"), max_length=300, blank=True)
    title = Translated("title")
    topic = models.CharField(_("topic"), max_length=20, choices=Topic)
    place = models.CharField(_("country or place"), max_length=120)
    source = models.CharField(_("source"), max_length=300)
    link = models.URLField(_("link"), max_length=300, blank=True, validators=[web_address])
    evidence_level = models.CharField(_("evidence"), max_length=20, choices=EvidenceLevel)
    done_sq = models.TextField(_("what was done, in Albanian"), max_length=3000, blank=True)
    done_sr = models.TextField(_("what was done, in Serbian"), max_length=3000, blank=True)
    done_en = models.TextField(_("what was done, in English"), max_length=3000, blank=True)
    done = Translated("done")
    worked_sq = models.TextField(_("why it worked, in Albanian"), max_length=3000, blank=True)
    worked_sr = models.TextField(_("why it worked, in Serbian"), max_length=3000, blank=True)
    worked_en = models.TextField(_("why it worked, in English"), max_length=3000, blank=True)
    worked = Translated("worked")
    use_sq = models.TextField(_("how it could be used here, in Albanian"), max_length=3000, blank=True)
    use_sr = models.TextField(_("how it could be used here, in Serbian"), max_length=3000, blank=True)
    use_en = models.TextField(_("how it could be used here, in English"), max_length=3000, blank=True)
    use = Translated("use")
    measure = models.ForeignKey(
        Measure, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("measure")
    )
    noted_on = models.DateField(_("noted on"))
    published_on = models.DateField(_("published on"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("recorded by")
    )
    created_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    revision = models.PositiveIntegerField(default=0)

    objects = PracticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("best practice")
        verbose_name_plural = _("best practices")
        ordering = ["-noted_on", "-created_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(title_sq="", title_sr="", title_en=""),
                name="practice_has_a_title",
                violation_error_message=_("Write the title in one language at least."),
            ),
            models.CheckConstraint(
                condition=~Q(done_sq="", done_sr="", done_en="") & ~Q(worked_sq="", worked_sr="", worked_en=""),
                name="practice_says_what_and_why",
                violation_error_message=_("Write what was done and why it worked, in one language at least."),
            ),
            models.CheckConstraint(
                condition=Q(published_on__isnull=True) | Q(published_on__gte=F("noted_on")),
                name="practice_published_after_it_was_noted",
            ),
        ]

    def __str__(self) -> str:
        return str(self.title)

    def get_absolute_url(self) -> str:
        return reverse("strategy:practice-detail", args=[self.pk])


class TrendSource(models.TextChoices):
    RETURN = "return", _("return of an institution")
    REPORT = "report", _("report")
    RESEARCH = "research", _("research")
    PARTNER = "partner", _("partner country or organisation")
    MEDIA = "media", _("media")
    OBSERVATION = "observation", _("observation of the office")


class Confidence(models.TextChoices):
    HIGH = "high", pgettext_lazy("confidence", "high")
    MEDIUM = "medium", pgettext_lazy("confidence", "medium")
    LOW = "low", pgettext_lazy("confidence", "low")


class TrendState(models.TextChoices):
    NOTED = "noted", _("noted, not reviewed")
    CONFIRMED = "confirmed", _("confirmed")
    NOT_CONFIRMED = "not_confirmed", _("not confirmed")
    OVER = "over", _("over")


class TrendQuerySet(models.QuerySet["Trend"]):
    def visible_to(self, user: Any) -> Self:
        """The office alone: a trend may rest on what the police has not made public."""
        if not user.is_authenticated:
            return self.none()
        return self if user.is_office else self.none()


@tracked
class Trend(models.Model):
    """Something new in trafficking, noted with its source. Nobody reviews what they noted."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    title_sq = models.CharField(_("what, in Albanian"), max_length=300, blank=True)
    title_sr = models.CharField(_("what, in Serbian"), max_length=300, blank=True)
    title_en = models.CharField(_("what, in English"), max_length=300, blank=True)
    title = Translated("title")
    topic = models.CharField(_("topic"), max_length=20, choices=Topic)
    description = models.TextField(_("description"), max_length=4000)
    language = models.CharField(_("language of the text"), max_length=10, choices=settings.LANGUAGES, default="sq")
    since_on = models.DateField(_("since"))
    municipality = models.ForeignKey(
        Municipality, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("municipality")
    )
    place = models.CharField(_("another place"), max_length=120, blank=True)
    source_kind = models.CharField(_("kind of source"), max_length=20, choices=TrendSource)
    source = models.CharField(_("source"), max_length=300)
    confidence = models.CharField(_("confidence"), max_length=10, choices=Confidence)
    state = models.CharField(_("state"), max_length=20, choices=TrendState, default=TrendState.NOTED)
    noted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("noted by"))
    noted_on = models.DateField(_("noted on"))
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("reviewed by")
    )
    reviewed_on = models.DateField(_("reviewed on"), null=True, blank=True)
    review = models.CharField(_("remark of the review"), max_length=1000, blank=True)
    created_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    revision = models.PositiveIntegerField(default=0)

    objects = TrendQuerySet.as_manager()

    class Meta:
        verbose_name = _("trend")
        verbose_name_plural = _("trends")
        ordering = ["-noted_on", "-created_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(title_sq="", title_sr="", title_en=""),
                name="trend_has_a_title",
                violation_error_message=_("Say what it is, in one language at least."),
            ),
            models.CheckConstraint(
                condition=Q(noted_on__gte=F("since_on")),
                name="trend_noted_after_it_began",
                violation_error_message=_("A trend cannot begin after it was noted."),
            ),
            models.CheckConstraint(
                condition=Q(state="noted", reviewed_on__isnull=True, reviewed_by__isnull=True)
                | ~Q(state="noted")
                & Q(reviewed_on__isnull=False, reviewed_on__gte=F("noted_on"), reviewed_by__isnull=False)
                & ~Q(reviewed_by=F("noted_by")),
                name="trend_reviewed_by_another",
                violation_error_message=_("Nobody reviews what they noted."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.title)

    def get_absolute_url(self) -> str:
        return reverse("strategy:trend-detail", args=[self.pk])
