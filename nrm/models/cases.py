"""Cases: one episode of one person, under an opaque marker and without an identity (data_dictionary.md, section 2)."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from nrm.markers import spoken
from onatc.history import tracked
from onatc.ids import new_id
from onatc.models import Municipality
from stakeholders.models import Institution, Role, User


class Track(models.TextChoices):
    """Which procedure is followed: an age in doubt is treated as a child and counted as not known until assessed."""

    ADULT = "ADULT", pgettext_lazy("nrm", "adult")
    CHILD = "CHILD", pgettext_lazy("nrm", "child")
    UNKNOWN = "AGE_U", _("age in doubt, treated as a child")


class Status(models.TextChoices):
    """The status that the decisions give, codes of the list `victim_status`; nobody types it."""

    POTENTIAL = "POTENTIAL", _("potential victim")
    PRESUMED = "PRESUMED", _("presumed victim")
    IDENTIFIED = "IDENTIFIED", _("identified victim")
    NOT_VICTIM = "NOT_VICTIM", _("found not to be a victim")
    DECLINED = "DECLINED_ID", _("declined identification")
    DISCONTINUED = "DISCONTINUED", _("procedure stopped")


class Person(models.Model):
    """Joins the episodes of one person and says nothing else about them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    objects: ClassVar[models.Manager[Person]]

    class Meta:
        verbose_name = _("person of cases")
        verbose_name_plural = _("persons of cases")

    def __str__(self) -> str:
        return str(self.pk)


class CaseQuerySet(models.QuerySet["Case"]):
    def visible_to(self, user: Any) -> Self:
        """Cases whose existence `user` may know of.

        All for the Director and the monitoring officer; those with the procedure of a child for the child protection
        officer; for an institution those in which it takes part; for a local coordinator also the children's cases of the
        area. Nobody else sees a case: the Coordinator sees counts. Whoever was let in for an emergency sees that case for
        as long as that holds. What was destroyed is nobody's to see.
        """
        if not user.is_authenticated:
            return self.none()
        kept = self.filter(destroyed_on__isnull=True)
        if user.has_role(Role.DIRECTOR, Role.MONITORING):
            return kept
        let_in = EmergencyAccess.objects.filter(user=user, ends_at__gt=timezone.now()).values("case")
        if user.has_role(Role.CHILD):
            return kept.filter(Q(is_child_procedure=True) | Q(pk__in=let_in))
        # Keys from each right, put together: of alternatives the database would try each on every case there is.
        keys: list[Any] = []
        if user.institution_ids:
            parties = CaseParty.objects.filter(institution__in=user.institution_ids, until__isnull=True)
            keys.append(parties.values("case"))
        if user.municipality_codes or user.district_codes:
            area = Q(municipality__in=user.municipality_codes) | Q(municipality__district__in=user.district_codes)
            keys.append(self.model.objects.filter(area, is_child_procedure=True).order_by().values("pk"))
        if user.is_secretariat or user.is_reporter:
            keys.append(let_in)
        return kept.filter(pk__in=keys[0].union(*keys[1:])) if keys else self.none()

    def open(self) -> Self:
        return self.filter(closed_on__isnull=True, duplicate_of__isnull=True)

    def counted(self) -> Self:
        """What a count is made of: without records that were entered twice; closed and destroyed ones still count."""
        return self.filter(duplicate_of__isnull=True)


@tracked
class Case(models.Model):
    """One episode of one person. `marker` is random and is all by which the case is spoken of.

    `missing` holds, by the field's name, why a value is absent (codes of the list `missing_reason`). Lists keep the order
    in which they were given: the first citizenship and the first form are the main ones. `person` is whom the case is
    counted as now, `own_person` whom it was opened for: merges change the first and never the second. `status`,
    `responsible`, `manager` and `next_due_at` follow from decisions, responsibilities and clocks, kept here for lists.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    marker = models.CharField(_("case marker"), max_length=24, unique=True)
    person = models.ForeignKey(Person, models.PROTECT, related_name="cases")
    own_person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    episode = models.PositiveSmallIntegerField(_("episode"), default=1)
    opened_on = models.DateField(_("opened on"))
    opened_by = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("opened by"))
    recorded_at = models.DateTimeField(_("recorded"), default=timezone.now)
    recorded_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    is_imported = models.BooleanField(_("imported"), default=False)

    track = models.CharField(_("procedure"), max_length=8, choices=Track, default=Track.UNKNOWN)
    # Also of somebody who has turned 18 meanwhile and keeps the protection that the SOP gives.
    is_child_procedure = models.BooleanField(_("procedure of a child"), default=False)
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.POTENTIAL)
    responsible = models.ForeignKey(
        Institution, models.PROTECT, related_name="+", verbose_name=_("responsible institution")
    )
    manager = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("case manager")
    )
    next_due_at = models.DateTimeField(_("next deadline"), null=True, blank=True)

    sex = models.CharField(_("sex"), max_length=2, default="U")
    age_at_referral = models.PositiveSmallIntegerField(
        _("age at the referral"), null=True, blank=True, validators=[MaxValueValidator(110)]
    )
    age_group_at_referral = models.CharField(_("adult or child at the referral"), max_length=8, default="AGE_U")
    age_at_exploitation = models.PositiveSmallIntegerField(
        _("age when the acts began"), null=True, blank=True, validators=[MaxValueValidator(110)]
    )
    age_group_at_exploitation = models.CharField(_("adult or child when the acts began"), max_length=8, blank=True)
    citizenship = ArrayField(models.CharField(max_length=10), verbose_name=_("citizenship"), default=list, blank=True)
    forms = ArrayField(
        models.CharField(max_length=12), verbose_name=_("forms of exploitation"), default=list, blank=True
    )
    labour_sector = ArrayField(
        models.CharField(max_length=12), verbose_name=_("sectors of labour"), default=list, blank=True
    )
    recruitment_methods = ArrayField(
        models.CharField(max_length=16), verbose_name=_("ways of recruitment"), default=list, blank=True
    )
    means_of_control = ArrayField(
        models.CharField(max_length=16), verbose_name=_("means of control"), default=list, blank=True
    )
    recruiter_relations = ArrayField(
        models.CharField(max_length=16), verbose_name=_("relationship to the recruiter"), default=list, blank=True
    )
    recruitment_countries = ArrayField(
        models.CharField(max_length=2), verbose_name=_("countries of recruitment"), default=list, blank=True
    )
    transit_countries = ArrayField(
        models.CharField(max_length=2), verbose_name=_("countries of transit"), default=list, blank=True
    )
    exploitation_countries = ArrayField(
        models.CharField(max_length=2), verbose_name=_("countries of exploitation"), default=list, blank=True
    )
    municipality = models.ForeignKey(
        Municipality, models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("municipality of identification"),
    )  # fmt: skip
    geography = models.CharField(_("internal or cross-border"), max_length=12, default="GEO_U")
    vulnerabilities = ArrayField(
        models.CharField(max_length=20), verbose_name=_("vulnerability marks"), default=list, blank=True
    )
    needs_interpreter = models.CharField(_("language of an interpreter"), max_length=10, blank=True)
    missing = models.JSONField(_("why values are absent"), default=dict, blank=True)
    note = models.CharField(_("note"), max_length=500, blank=True)

    duplicate_of = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="duplicates", verbose_name=_("entered twice, as")
    )
    closed_on = models.DateField(_("closed on"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=12, blank=True)
    closing_note = models.CharField(_("note on the closing"), max_length=500, blank=True)
    destroyed_on = models.DateField(_("destroyed on"), null=True, blank=True)
    revision = models.PositiveIntegerField(default=0)

    objects = CaseQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("nrm", "case")
        verbose_name_plural = pgettext_lazy("nrm", "cases")
        ordering = ["-opened_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_on__isnull=True) | Q(closed_on__gte=F("opened_on")),
                name="case_closed_after_opening",
                violation_error_message=_("The case must not be closed before it was opened."),
            ),
            models.CheckConstraint(
                condition=Q(closed_on__isnull=True) | ~Q(outcome=""),
                name="case_closed_with_outcome",
                violation_error_message=_("A case is closed with its outcome."),
            ),
            models.CheckConstraint(
                condition=Q(age_at_referral__isnull=True) | Q(age_at_referral__lte=110),
                name="case_age_is_possible",
                violation_error_message=_("An age lies between 0 and 110 years."),
            ),
            models.CheckConstraint(
                condition=Q(age_at_referral__isnull=True)
                | Q(age_at_exploitation__isnull=True)
                | Q(age_at_exploitation__lte=F("age_at_referral")),
                name="case_ages_in_order",
                violation_error_message=_("Nobody was older when the acts began than at the referral."),
            ),
            models.CheckConstraint(
                condition=Q(duplicate_of__isnull=True) | ~Q(duplicate_of=F("id")),
                name="case_duplicate_of_another",
                violation_error_message=_("A case is not its own duplicate."),
            ),
        ]
        indexes = [
            models.Index(fields=["-opened_on", "id"], name="case_by_opening"),
            # Also what is counted on top of the list, without the rows.
            models.Index(
                fields=["status", "-opened_on"], condition=Q(destroyed_on__isnull=True), name="case_kept_by_status"
            ),
            models.Index(
                fields=["status", "-opened_on"],
                condition=Q(closed_on__isnull=True, duplicate_of__isnull=True, destroyed_on__isnull=True),
                name="case_open_by_status",
            ),
            models.Index(fields=["closed_on"], condition=Q(closed_on__isnull=False), name="case_closed"),
            models.Index(fields=["responsible", "-opened_on"], name="case_by_responsible"),
            models.Index(fields=["municipality", "-opened_on"], name="case_by_place"),
            models.Index(
                fields=["next_due_at"],
                condition=Q(closed_on__isnull=True, next_due_at__isnull=False),
                name="case_by_due",
            ),
            models.Index(fields=["-opened_on"], condition=Q(is_child_procedure=True), name="case_of_children"),
            GinIndex(fields=["forms"], name="case_by_form"),
            models.Index(fields=["id"], condition=Q(destroyed_on__isnull=False), name="case_destroyed"),
        ]

    def __str__(self) -> str:
        return spoken(self.marker)

    def get_absolute_url(self) -> str:
        return reverse("nrm:case-detail", args=[self.marker])

    @property
    def is_open(self) -> bool:
        return self.closed_on is None and self.duplicate_of_id is None

    @property
    def is_anonymous(self) -> bool:
        """Opened with sex and age group only, and not completed yet."""
        return not (self.citizenship or self.forms or self.municipality_id or self.age_at_referral is not None)


class OfCaseQuerySet(models.QuerySet[Any]):
    """Records of a case: whoever sees the case sees them."""

    def visible_to(self, user: Any) -> Self:
        if not user.is_authenticated or not user.sees_cases:
            return self.none()
        return self.filter(case__in=Case.objects.visible_to(user))


class OfCase(models.Model):
    """A fact of a case, with its second time: when it was recorded, by whom, for which institution."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    case = models.ForeignKey(
        Case, models.PROTECT, related_name="%(class)s_rows", verbose_name=pgettext_lazy("nrm", "case")
    )
    recorded_at = models.DateTimeField(_("recorded"), default=timezone.now)
    recorded_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    recorded_for = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("institution")
    )

    objects = OfCaseQuerySet.as_manager()

    class Meta:
        abstract = True


class PartyRole(models.TextChoices):
    """Why an institution takes part in a case."""

    OPENED = "opened", _("opened the case")
    RESPONSIBLE = "responsible", _("is responsible")
    HELPS = "helps", _("accepted a referral")
    JOINT = "joint", _("works on it jointly")
    REFERRED = "referred", _("referred the person")


@tracked
class CaseParty(OfCase):
    """An institution takes part in a case from a moment on; it sees the case until `until`."""

    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("institution"))
    role = models.CharField(_("part"), max_length=12, choices=PartyRole)
    since = models.DateTimeField(_("from"), default=timezone.now)
    until = models.DateTimeField(_("to"), null=True, blank=True)

    class Meta:
        verbose_name = _("institution of a case")
        verbose_name_plural = _("institutions of cases")
        ordering = ["since", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "institution", "role"], condition=Q(until__isnull=True), name="case_party_once"
            ),
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(until__isnull=True, role="responsible"),
                name="case_one_responsible",
                violation_error_message=_("One institution is responsible for a case at a time."),
            ),
        ]
        indexes = [models.Index(fields=["institution", "case"], condition=Q(until__isnull=True), name="case_party_now")]

    def __str__(self) -> str:
        return f"{self.institution.short}: {self.get_role_display()}"


@tracked
class CaseManagement(OfCase):
    """Who manages the case at the responsible institution, from–to; one at a time."""

    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("institution"))
    manager = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("case manager"))
    since = models.DateTimeField(_("from"), default=timezone.now)
    until = models.DateTimeField(_("to"), null=True, blank=True)

    class Meta:
        verbose_name = _("management of a case")
        verbose_name_plural = _("managements of cases")
        ordering = ["since", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(until__isnull=True),
                name="case_one_manager",
                violation_error_message=_("A colleague named another case manager meanwhile."),
            )
        ]

    def __str__(self) -> str:
        return str(self.manager)


class OwnFileNumberQuerySet(models.QuerySet["OwnFileNumber"]):
    def visible_to(self, user: Any) -> Self:
        """Readable by the institution whose number it is, and by nobody else, the office included."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(institution__in=user.institution_ids, case__in=Case.objects.visible_to(user))


@tracked(exclude=["sealed"])
class OwnFileNumber(models.Model):
    """Under which number an institution keeps the person's file; sealed with `FIELD_KEYS` and bound to this row (T33)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    case = models.ForeignKey(Case, models.PROTECT, related_name="file_numbers")
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("institution"))
    sealed = models.BinaryField()
    changed_at = models.DateTimeField(_("changed"), default=timezone.now)

    objects = OwnFileNumberQuerySet.as_manager()

    class Meta:
        verbose_name = _("own file number")
        verbose_name_plural = _("own file numbers")
        constraints = [models.UniqueConstraint(fields=["case", "institution"], name="own_file_number_once")]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def place(self) -> str:
        """What the seal is bound to."""
        return f"nrm.ownfilenumber.{self.pk}"


class MergeKind(models.TextChoices):
    DUPLICATE = "duplicate_record", _("the same referral, entered twice")
    SAME_PERSON = "same_person", _("two referrals of the same person")


@tracked
class Merge(OfCase):
    """That `case` is `into` entered twice, or another episode of the same person; undone, both are as before.

    `moved` are the cases whose person it changed. The survivor of a duplicate keeps the earliest dates (section 3.4); what
    it had before stands in `kept`, with the institutions that came over to it, for the undoing.
    """

    kind = models.CharField(_("kind"), max_length=20, choices=MergeKind)
    into = models.ForeignKey(Case, models.PROTECT, related_name="merged", verbose_name=_("into"))
    person_before = models.ForeignKey(Person, models.PROTECT, related_name="+")
    person_after = models.ForeignKey(Person, models.PROTECT, related_name="+")
    moved = models.JSONField(default=list)
    kept = models.JSONField(default=dict)
    reason = models.CharField(_("reason"), max_length=300)
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)
    undone_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    undone_reason = models.CharField(_("why it was undone"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("merge of cases")
        verbose_name_plural = _("merges of cases")
        ordering = ["-recorded_at"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(case=F("into")),
                name="merge_of_two",
                violation_error_message=_("A case cannot be merged with itself."),
            ),
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(undone_at__isnull=True, kind="duplicate_record"),
                name="merge_duplicate_once",
                violation_error_message=_("This case is merged already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case} → {self.into}"


class TwinToken(OfCase):
    """What is kept of names, birth date and document that were typed for a moment: keyed tokens (nrm/twins.py)."""

    kind = models.CharField(max_length=24)
    value = models.BinaryField()

    class Meta:
        verbose_name = _("token of a case")
        verbose_name_plural = _("tokens of cases")
        constraints = [models.UniqueConstraint(fields=["case", "kind", "value"], name="twin_token_once")]
        indexes = [models.Index(fields=["kind", "value"], name="twin_token_value")]

    def __str__(self) -> str:
        return self.kind


class TwinTryQuerySet(models.QuerySet["TwinTry"]):
    def visible_to(self, user: Any) -> Self:
        """Each try is shown to the Director; for others those of their own institutions."""
        if not user.is_authenticated:
            return self.none()
        if user.has_role(Role.DIRECTOR):
            return self
        return self.filter(institution__in=user.institution_ids)


class TwinTry(models.Model):
    """That somebody looked for a twin of a case of theirs; not what was found (T31)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    case = models.ForeignKey(Case, models.PROTECT, related_name="+")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+")
    at = models.DateTimeField(_("when"), default=timezone.now)
    was_refused = models.BooleanField(_("over the limit"), default=False)

    objects = TwinTryQuerySet.as_manager()

    class Meta:
        verbose_name = _("search for a twin")
        verbose_name_plural = _("searches for twins")
        ordering = ["-at"]
        indexes = [
            models.Index(fields=["user", "at"], name="twin_try_of_person"),
            models.Index(fields=["institution", "at"], name="twin_try_of_institution"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class MatchAnswer(models.TextChoices):
    ASKED = "asked", _("asked")
    SAME = "same", _("the same person")
    OTHER = "other", _("another person")


@tracked
class TwinMatch(models.Model):
    """Two cases whose tokens agree: each of the two institutions is asked, and told nothing of what the other knows."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    first = models.ForeignKey(Case, models.PROTECT, related_name="+")
    second = models.ForeignKey(Case, models.PROTECT, related_name="+")
    first_institution = models.ForeignKey(Institution, models.PROTECT, related_name="+")
    second_institution = models.ForeignKey(Institution, models.PROTECT, related_name="+")
    first_answer = models.CharField(max_length=8, choices=MatchAnswer, default=MatchAnswer.ASKED)
    second_answer = models.CharField(max_length=8, choices=MatchAnswer, default=MatchAnswer.ASKED)
    strength = models.CharField(max_length=12)
    found_at = models.DateTimeField(_("found"), default=timezone.now)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    settled_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    merge = models.ForeignKey(Merge, models.PROTECT, null=True, blank=True, related_name="+")

    class TwinMatchQuerySet(models.QuerySet["TwinMatch"]):
        def visible_to(self, user: Any) -> Self:
            """The Director and the monitoring officer all; an institution those in which it is asked."""
            if not user.is_authenticated:
                return self.none()
            if user.has_role(Role.DIRECTOR, Role.MONITORING):
                return self
            own = user.institution_ids
            return self.filter(Q(first_institution__in=own) | Q(second_institution__in=own))

    objects = TwinMatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("possible twin")
        verbose_name_plural = _("possible twins")
        ordering = ["-found_at"]
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="twin_match_once"),
            models.CheckConstraint(condition=~Q(first=F("second")), name="twin_match_of_two"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class EmergencyAccessQuerySet(models.QuerySet["EmergencyAccess"]):
    def visible_to(self, user: Any) -> Self:
        """The Director all; everybody their own."""
        if not user.is_authenticated:
            return self.none()
        return self if user.has_role(Role.DIRECTOR) else self.filter(user=user)


@tracked
class EmergencyAccess(models.Model):
    """Somebody opened a case that is not theirs, for a reason, for hours; the Director was told at once ("break-glass")."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    case = models.ForeignKey(Case, models.PROTECT, related_name="+")
    user = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("who"))
    reason = models.CharField(_("reason"), max_length=500)
    opened_at = models.DateTimeField(_("opened"), default=timezone.now)
    ends_at = models.DateTimeField(_("until"))
    reviewed_at = models.DateTimeField(_("looked at"), null=True, blank=True)
    reviewed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    was_justified = models.BooleanField(_("was justified"), null=True)
    review_note = models.CharField(_("note of the Director"), max_length=500, blank=True)

    objects = EmergencyAccessQuerySet.as_manager()

    class Meta:
        verbose_name = _("emergency access")
        verbose_name_plural = _("emergency accesses")
        ordering = ["-opened_at"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("opened_at")), name="emergency_access_ends"),
            models.CheckConstraint(condition=~Q(reason=""), name="emergency_access_has_a_reason"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class EventKind(models.TextChoices):
    """What happens in a case and has a day: what starts, meets or ends a clock of the SOP, and what the case page tells.

    The codes are used by SOP versions: none is ever renamed.
    """

    SIGNAL = "signal", _("signs noticed")
    REFERRED = "referred", _("referred")
    RECEIVED = "received", _("referral received")
    ACCEPTED = "accepted", _("referral accepted")
    DECLINED = "declined", _("referral declined")
    WITHDRAWN = "withdrawn", _("referral withdrawn")
    HANDED_OVER = "handed_over", _("responsibility handed over")
    MANAGER_NAMED = "manager_named", _("case manager named")
    CONSENT_GIVEN = "consent_given", _("consent given")
    CONSENT_WITHDRAWN = "consent_withdrawn", _("consent withdrawn")
    NOTIFIED = "notified", _("directorate and victim advocate notified")
    NEEDS_MET = "needs_met", _("urgent needs met")
    INFORMED = "informed", _("informed of rights in the own language")
    AGE_DOUBTED = "age_doubted", _("seems to be a child")
    AGE_CHECKED = "age_checked", _("age checked")
    CHILD = "child", _("treated as a child")
    GUARDIAN_NAMED = "guardian_named", _("guardian named")
    BEST_INTEREST = "best_interest", _("best interest determined")
    TURNED_ADULT = "turned_adult", _("turned 18")
    SCREENED = "screened", _("screened by indicators")
    RISK_ASSESSED = "risk_assessed", _("risk assessed")
    RISK_CHANGED = "risk_changed", _("new facts about the risk")
    PLACED = "placed", _("placed in safety")
    LEFT_SHELTER = "left_shelter", _("left the shelter")
    PRESUMED = "presumed", _("preliminary decision: presumed victim")
    NOT_PRESUMED = "not_presumed", _("preliminary decision: not a victim")
    IDENTIFIED = "identified", _("identified as a victim")
    NOT_VICTIM = "not_victim", _("found not to be a victim")
    WITHDREW = "withdrew", _("declined the procedure")
    DISCONTINUED = "discontinued", _("procedure stopped")
    SUSPENDED = "suspended", _("procedure suspended")
    REVIEWED = "reviewed", _("decision reviewed")
    READY = "ready", _("ready for the interview")
    REFLECTION_OFFERED = "reflection_offered", _("reflection period offered")
    REFLECTION_STARTED = "reflection_started", _("reflection period started")
    REFLECTION_CHANGED = "reflection_changed", _("reflection period paused, resumed or extended")
    REFLECTION_ENDED = "reflection_ended", _("reflection period ended")
    REFLECTION_WAIVED = "reflection_waived", _("reflection period given up by the person")
    COOPERATION_DECIDED = "cooperation_decided", _("decided about cooperation with justice")
    CASE_PLAN = "case_plan", _("plan of first assistance made")
    OFFERED = "offered", _("help offered")
    HELPED = "helped", _("help began")
    HELP_ENDED = "help_ended", _("help ended")
    STABLE = "stable", _("situation stable")
    REINTEGRATION_PLAN = "reintegration_plan", _("reintegration plan agreed")
    SERVICES_REVIEWED = "services_reviewed", _("services reviewed")
    PERMIT_ASKED = "permit_asked", _("residence permit asked for")
    PERMIT_DECIDED = "permit_decided", _("residence permit decided")
    RETURN_WISHED = "return_wished", _("wishes to return")
    RETURN_DECIDED = "return_decided", _("return decided")
    RETURNED = "returned", _("returned")
    HANDED_TO_GUARDIAN = "handed_to_guardian", _("child handed over to the authority or guardian")
    FOLLOWED_UP = "followed_up", _("followed up")
    CHARGED = "charged", _("charge brought")
    PROCEEDING = "proceeding", _("step of a proceeding")
    HEARING = "hearing", _("first hearing")
    PROTECTION_ASKED = "protection_asked", _("protective measures asked for")
    PROTECTION_DECIDED = "protection_decided", _("protective measures decided")
    DAMAGE = "damage", _("damage established")
    COMPENSATION_ASKED = "compensation_asked", _("compensation asked for")
    COMPENSATION_DECIDED = "compensation_decided", _("compensation decided")
    COMPENSATION_PAID = "compensation_paid", _("compensation paid")
    FINISHED = "finished", _("all steps done or not applicable")
    CLOSED = "closed", _("case closed")
    REOPENED = "reopened", _("case reopened as a new episode")
    MERGED = "merged", _("merged")
    UNMERGED = "unmerged", _("merge undone")
    ESCALATED = "escalated", _("brought to the office")


# Steps that consist of their day alone: any institution of the case records them without a form of their own.
PLAIN_STEPS = (
    EventKind.NOTIFIED, EventKind.NEEDS_MET, EventKind.INFORMED, EventKind.AGE_DOUBTED, EventKind.READY,
    EventKind.COOPERATION_DECIDED, EventKind.CASE_PLAN, EventKind.STABLE, EventKind.REINTEGRATION_PLAN,
    EventKind.SERVICES_REVIEWED, EventKind.RETURN_WISHED, EventKind.HANDED_TO_GUARDIAN, EventKind.RISK_CHANGED,
    EventKind.DAMAGE, EventKind.HEARING, EventKind.FINISHED,
)  # fmt: skip


class Happening(OfCase):
    """That something happened, on a day and, where that is known, at a time: the way of the case through the procedures.

    `happened_at` is noon of the day when only the day is known (`has_time` is False). `record` is the key of the record
    that tells more. An event that was wrong is struck, with the reason, and stays.
    """

    kind = models.CharField(_("what"), max_length=24, choices=EventKind)
    happened_at = models.DateTimeField(_("when"))
    has_time = models.BooleanField(_("the time is known"), default=False)
    record = models.UUIDField(null=True, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    struck_at = models.DateTimeField(_("struck"), null=True, blank=True)
    struck_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    struck_reason = models.CharField(_("why it was struck"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("event of a case")
        verbose_name_plural = _("events of cases")
        ordering = ["happened_at", "recorded_at", "pk"]
        indexes = [
            models.Index(fields=["case", "happened_at"], name="case_event_of_case"),
            models.Index(fields=["kind", "happened_at"], name="case_event_by_kind"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()

    @property
    def happened_on(self) -> Any:
        return timezone.localdate(self.happened_at)
