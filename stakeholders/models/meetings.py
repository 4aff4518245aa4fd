"""Meetings: called with an agenda, held with attendance and quorum, minuted, adopted at a later one."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from onatc.files import Attachment
from onatc.history import tracked
from onatc.ids import new_id
from onatc.texts import Translated
from stakeholders.meeting_rules import YEARLY
from stakeholders.models.bodies import Body, BodyMember
from stakeholders.models.contacts import Contact, Sex
from stakeholders.models.institutions import Institution
from stakeholders.models.people import User
from stakeholders.models.places import Country

ADOPTED = """
    IF EXISTS (SELECT 1 FROM stakeholders_meeting WHERE minutes_state = 'adopted' AND id IN (KEYS)) THEN
        RAISE EXCEPTION 'The minutes of this meeting were adopted; they never change.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'frozen_once_minutes_adopted';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
"""


def frozen_by_minutes(*but: str) -> pgtrigger.Trigger:
    """Trigger of a table that belongs to a meeting: once its minutes were adopted nothing comes, changes or goes there.
    `but` names columns that may change all the same: personal data can be removed."""
    same = "".join(f" - '{name}'" for name in but)
    ignore = f"""
    IF TG_OP = 'UPDATE' AND to_jsonb(OLD){same} = to_jsonb(NEW){same} THEN
        RETURN NEW;
    END IF;""" if but else ""  # fmt: skip
    keys = "CASE WHEN TG_OP = 'INSERT' THEN NULL ELSE OLD.meeting_id END, CASE WHEN TG_OP = 'DELETE' THEN NULL ELSE NEW.meeting_id END"
    return pgtrigger.Trigger(
        name="frozen_once_minutes_adopted",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        func=ignore + ADOPTED.replace("KEYS", keys),
    )


web_address = URLValidator(schemes=["https"], message=_("Write an address that begins with https://."), code="https")


class SeriesKind(models.TextChoices):
    """By the duty that the meetings of a series fulfil (mandate.md)."""

    AUTHORITY = "authority", _("meeting of the National Authority")
    ROUND_TABLE = "round_table", _("round table of all main actors")
    NRM_PROGRESS = "nrm_progress", _("meeting on the progress of the referral mechanism")
    FACE_TO_FACE = "face_to_face", _("meeting with a counterpart abroad")
    REGIONAL = "regional", _("meeting of a regional committee")
    GROUP = "group", _("meeting of a working group")
    OTHER = "other", _("other meeting")


class MeetingSeriesQuerySet(models.QuerySet["MeetingSeries"]):
    def visible_to(self, user: Any) -> Self:
        """The office all; others those of bodies they may see, and those to whose meetings they were called."""
        if not user.is_authenticated or not user.sees_cooperation:
            return self.none()
        if user.is_secretariat or user.is_natc:
            return self
        called = Meeting.objects.visible_to(user).filter(series=OuterRef("pk"))
        return self.filter(Q(body__in=Body.objects.visible_to(user).values("pk")) | Exists(called))


@tracked
class MeetingSeries(models.Model):
    """Meetings that must be held again and again: by what duty, of which body or with which country, how often."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(_("kind"), max_length=20, choices=SeriesKind)
    duty = models.CharField(
        _("duty"), max_length=20, blank=True, help_text=_("As in the mandate register, for example 8.3/2a-i.")
    )
    name_sq = models.CharField(_("name in Albanian"), max_length=200)
    name_sr = models.CharField(_("name in Serbian"), max_length=200, blank=True)
    name_en = models.CharField(_("name in English"), max_length=200, blank=True)
    name = Translated("name")
    body = models.ForeignKey(Body, models.PROTECT, null=True, blank=True, related_name="series", verbose_name=_("body"))
    country = models.ForeignKey(
        Country, models.PROTECT, null=True, blank=True, related_name="series", verbose_name=_("country")
    )
    every_months = models.PositiveSmallIntegerField(
        _("at least every … months"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    starts_on = models.DateField(_("since"), default=timezone.localdate)
    ends_on = models.DateField(_("until"), null=True, blank=True)
    usual_place = models.CharField(_("usual place"), max_length=200, blank=True)
    revision = models.PositiveIntegerField(default=0)

    objects = MeetingSeriesQuerySet.as_manager()

    class Meta:
        verbose_name = _("series of meetings")
        verbose_name_plural = _("series of meetings")
        ordering = ["kind", "name_sq"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="meeting_series_dates_in_order",
                violation_error_message=_("The end must not lie before the start."),
            ),
            models.CheckConstraint(
                condition=~Q(kind="face_to_face") | Q(country__isnull=False),
                name="meeting_series_with_a_country",
                violation_error_message=_("Name the country of the counterpart."),
            ),
            models.UniqueConstraint(
                fields=["country"], condition=Q(kind="face_to_face", ends_on__isnull=True), name="face_to_face_once",
                violation_error_message=_("There is a series with this country already."),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return str(self.name)

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:series-detail", args=[self.pk])

    @property
    def is_each_year(self) -> bool:
        """Owed once in each calendar year, as a meeting with a counterpart is (Article 8.4.5-iv)."""
        return self.kind == SeriesKind.FACE_TO_FACE and self.every_months == YEARLY


class MeetingState(models.TextChoices):
    DRAFT = "draft", pgettext_lazy("meeting", "being prepared")
    CALLED = "called", pgettext_lazy("meeting", "called")
    HELD = "held", pgettext_lazy("meeting", "held")
    CANCELLED = "cancelled", pgettext_lazy("meeting", "cancelled")


class MinutesState(models.TextChoices):
    """Of a meeting that was held; adopted minutes never change."""

    NONE = "none", pgettext_lazy("minutes", "not written")
    DRAFT = "draft", pgettext_lazy("minutes", "being written")
    CIRCULATED = "circulated", pgettext_lazy("minutes", "circulated for comment")
    ADOPTED = "adopted", pgettext_lazy("minutes", "adopted")


class MeetingQuerySet(models.QuerySet["Meeting"]):
    def visible_to(self, user: Any) -> Self:
        """The office all; local coordinators those of the bodies of their area; others those to which an institution of
        theirs, or they themselves, were called."""
        if not user.is_authenticated or not user.sees_cooperation:
            return self.none()
        if user.is_secretariat or user.is_natc:
            return self
        # Asked once for all meetings and not anew for each: points, decisions and files are shown by this too. Each of the
        # two ways of being called has its index, which a question for both at once could not use.
        called = Attendee.objects.filter(institution__in=user.consulted_institution_ids).values("meeting")
        in_person = Attendee.objects.filter(contact__user=user).values("meeting")
        area = Q(body__district__in=user.district_codes) | Q(body__municipality__in=user.municipality_codes)
        asked = Q(pk__in=called) | Q(pk__in=in_person)
        return self.filter(area | asked & ~Q(state=MeetingState.DRAFT))


@tracked(exclude=["answer_salt"])
class Meeting(models.Model):
    """One meeting. `starts_at` and `ends_at` are moments; it may last over midnight and over a change of the clock.

    `sequence` counts the calls that went out, for calendars (RFC 5545, SEQUENCE). What the quorum was is kept when the
    meeting was held: `quorum_needed` of `voting_members`, `voting_present`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    series = models.ForeignKey(
        MeetingSeries, models.PROTECT, null=True, blank=True, related_name="meetings", verbose_name=_("series")
    )
    body = models.ForeignKey(
        Body, models.PROTECT, null=True, blank=True, related_name="meetings", verbose_name=_("body")
    )
    country = models.ForeignKey(
        Country, models.PROTECT, null=True, blank=True, related_name="meetings", verbose_name=_("country")
    )
    number = models.PositiveSmallIntegerField(_("number in the year"), null=True, blank=True)
    title_sq = models.CharField(_("title in Albanian"), max_length=200, blank=True)
    title_sr = models.CharField(_("title in Serbian"), max_length=200, blank=True)
    title_en = models.CharField(_("title in English"), max_length=200, blank=True)
    title = Translated("title")
    starts_at = models.DateTimeField(_("begins"))
    ends_at = models.DateTimeField(_("ends"))
    place = models.CharField(_("place"), max_length=200, blank=True)
    link = models.URLField(_("link to join"), max_length=300, blank=True, validators=[web_address])
    language = models.CharField(_("language of the meeting"), max_length=10, choices=settings.LANGUAGES, default="sq")
    note = models.TextField(_("note in the call"), max_length=2000, blank=True)
    answer_by = models.DateField(_("answer by"), null=True, blank=True)
    chair = models.ForeignKey(Contact, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("chair"))
    state = models.CharField(_("state"), max_length=12, choices=MeetingState, default=MeetingState.DRAFT)
    called_at = models.DateTimeField(_("called on"), null=True, blank=True)
    called_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("called by")
    )
    sequence = models.PositiveIntegerField(default=0)
    answer_salt = models.CharField(max_length=40, blank=True, editable=False)
    cancelled_at = models.DateTimeField(_("cancelled on"), null=True, blank=True)
    cancel_reason = models.CharField(_("reason"), max_length=500, blank=True)
    held_at = models.DateTimeField(_("attendance recorded on"), null=True, blank=True)
    quorum_needed = models.PositiveSmallIntegerField(_("quorum"), null=True, blank=True)
    voting_members = models.PositiveSmallIntegerField(_("members with a vote"), null=True, blank=True)
    voting_present = models.PositiveSmallIntegerField(_("voting members present"), null=True, blank=True)
    minutes_state = models.CharField(_("minutes"), max_length=12, choices=MinutesState, default=MinutesState.NONE)
    circulated_at = models.DateTimeField(_("minutes circulated on"), null=True, blank=True)
    comments_until = models.DateField(_("comments until"), null=True, blank=True)
    minutes_adopted_at = models.DateTimeField(_("minutes adopted on"), null=True, blank=True)
    minutes_adopted_in = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="adopted_minutes",
        verbose_name=_("minutes adopted in"),
    )
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("prepared by"))
    created_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    revision = models.PositiveIntegerField(default=0)

    objects = MeetingQuerySet.as_manager()

    class Meta:
        verbose_name = _("meeting")
        verbose_name_plural = _("meetings")
        ordering = ["-starts_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="meeting_ends_after_it_begins",
                violation_error_message=_("The meeting must end after it begins."),
            ),
            models.CheckConstraint(
                condition=~Q(title_sq="", title_sr="", title_en=""),
                name="meeting_has_a_title",
                violation_error_message=_("Write the title in one language at least."),
            ),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(state="cancelled") | Q(called_at__isnull=False),
                name="meeting_called_on_record",
            ),
            models.CheckConstraint(
                condition=~Q(state="cancelled") | Q(cancelled_at__isnull=False) & ~Q(cancel_reason=""),
                name="meeting_cancelled_with_a_reason",
                violation_error_message=_("Say why the meeting is cancelled."),
            ),
            models.CheckConstraint(
                condition=Q(minutes_state="none") | Q(state="held"),
                name="meeting_minutes_of_what_was_held",
            ),
            models.CheckConstraint(
                condition=Q(minutes_state="adopted", minutes_adopted_at__isnull=False)
                | ~Q(minutes_state="adopted") & Q(minutes_adopted_at__isnull=True),
                name="meeting_minutes_adopted_on_record",
            ),
        ]
        indexes = [
            models.Index(fields=["body", "-starts_at"], name="meeting_of_body"),
            models.Index(fields=["series", "-starts_at"], name="meeting_of_series"),
            models.Index(fields=["state", "starts_at"], name="meeting_by_state"),
        ]  # fmt: skip
        triggers = [
            pgtrigger.Trigger(
                name="frozen_once_minutes_adopted",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__minutes_state="adopted"),
                func="""
    IF TG_OP = 'UPDATE' AND to_jsonb(OLD) = to_jsonb(NEW) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'The minutes of this meeting were adopted; they never change.'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'frozen_once_minutes_adopted';
""",
            )
        ]

    def __str__(self) -> str:
        return f"{self.title}, {date_format(self.day, 'DATE_FORMAT')}"

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:meeting-detail", args=[self.pk])

    @property
    def day(self) -> date:
        """The day on which it begins, by the office's clock."""
        return timezone.localtime(self.starts_at).date()

    @property
    def has_begun(self) -> bool:
        return self.starts_at <= timezone.now()

    @property
    def has_quorum(self) -> bool | None:
        """None before attendance was recorded, and for a meeting without a body."""
        if self.quorum_needed is None or self.voting_present is None:
            return None
        return self.voting_present >= self.quorum_needed

    @property
    def takes_minutes(self) -> bool:
        return self.state == MeetingState.HELD and self.minutes_state != MinutesState.ADOPTED


class AgendaKind(models.TextChoices):
    INFORMATION = "information", _("for information")
    DISCUSSION = "discussion", _("for discussion")
    DECISION = "decision", _("for decision")
    MINUTES = "minutes", _("adoption of minutes")


class AgendaItemQuerySet(models.QuerySet["AgendaItem"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(meeting__in=Meeting.objects.visible_to(user).values("pk"))


@tracked
class AgendaItem(models.Model):
    """A point of the agenda and what the minutes say of it.

    `source` names the open point it was made from (`kind:key`, stakeholders.agenda), so that no open point stands on one
    agenda twice.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="items", verbose_name=_("meeting"))
    position = models.PositiveSmallIntegerField(_("position"))
    kind = models.CharField(_("kind"), max_length=12, choices=AgendaKind, default=AgendaKind.DISCUSSION)
    title_sq = models.CharField(_("title in Albanian"), max_length=300, blank=True)
    title_sr = models.CharField(_("title in Serbian"), max_length=300, blank=True)
    title_en = models.CharField(_("title in English"), max_length=300, blank=True)
    title = Translated("title")
    presenter = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("presented by")
    )
    minutes_length = models.PositiveSmallIntegerField(_("planned minutes"), null=True, blank=True)
    source = models.CharField(max_length=100, blank=True, editable=False)
    source_url = models.CharField(max_length=300, blank=True, editable=False)
    minutes_of = models.ForeignKey(
        Meeting, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("minutes of")
    )
    minutes_sq = models.TextField(_("minutes in Albanian"), max_length=20000, blank=True)
    minutes_sr = models.TextField(_("minutes in Serbian"), max_length=20000, blank=True)
    minutes_en = models.TextField(_("minutes in English"), max_length=20000, blank=True)
    minutes = Translated("minutes")
    revision = models.PositiveIntegerField(default=0)

    objects = AgendaItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("point of an agenda")
        verbose_name_plural = _("points of agendas")
        ordering = ["meeting", "position", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(title_sq="", title_sr="", title_en=""),
                name="agenda_item_has_a_title",
                violation_error_message=_("Write the title in one language at least."),
            ),
            models.UniqueConstraint(
                fields=["meeting", "source"], condition=~Q(source=""), name="agenda_source_once",
                violation_error_message=_("This point stands on the agenda already."),
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["source"], condition=~Q(source=""), name="agenda_item_of_source")]
        triggers = [frozen_by_minutes()]

    def __str__(self) -> str:
        return f"{self.position}. {self.title}"


class MinutesDraft(models.Model):
    """What somebody is writing on a point, saved while they write; `base_revision` is what they began from. It goes when
    they save, and is nobody else's to read."""

    item = models.ForeignKey(AgendaItem, models.CASCADE, related_name="drafts")
    by = models.ForeignKey(User, models.CASCADE, related_name="+")
    minutes_sq = models.TextField(max_length=20000, blank=True)
    minutes_sr = models.TextField(max_length=20000, blank=True)
    minutes_en = models.TextField(max_length=20000, blank=True)
    base_revision = models.PositiveIntegerField(default=0)
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("draft of minutes")
        verbose_name_plural = _("drafts of minutes")
        ordering = ["item", "by"]
        constraints = [models.UniqueConstraint(fields=["item", "by"], name="minutes_draft_once")]

    def __str__(self) -> str:
        return str(self.pk)


class MeetingFileQuerySet(models.QuerySet["MeetingFile"]):
    def visible_to(self, user: Any) -> Self:
        """With the meeting; papers of a meeting being prepared, and what is for the office, for the office."""
        found = self.filter(meeting__in=Meeting.objects.visible_to(user).values("pk"))
        if user.is_authenticated and (user.is_secretariat or user.is_natc):
            return found
        return found.filter(is_internal=False)


@tracked
class MeetingFile(Attachment):
    """A paper for a meeting or one point of it."""

    meeting = models.ForeignKey(Meeting, models.PROTECT, related_name="files", verbose_name=_("meeting"))
    item = models.ForeignKey(
        AgendaItem, models.SET_NULL, null=True, blank=True, related_name="files", verbose_name=_("point of the agenda")
    )
    is_internal = models.BooleanField(_("for the office only"), default=False)

    objects = MeetingFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("paper of a meeting")
        verbose_name_plural = _("papers of meetings")
        ordering = ["uploaded_at"]

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:meeting-file", args=[self.pk])


class AttendeeRole(models.TextChoices):
    MEMBER = "member", _("member")
    DEPUTY = "deputy", _("stands in")
    GUEST = "guest", _("guest")


class Answer(models.TextChoices):
    NONE = "none", pgettext_lazy("invitation", "no answer")
    YES = "yes", pgettext_lazy("invitation", "comes")
    NO = "no", pgettext_lazy("invitation", "does not come")
    MAYBE = "maybe", pgettext_lazy("invitation", "perhaps")


class AnswerWay(models.TextChoices):
    LINK = "link", _("by the link of the mail")
    CALENDAR = "calendar", _("from the calendar")
    PAGE = "page", _("signed in")
    OFFICE = "office", _("told to the office")


class AttendeeQuerySet(models.QuerySet["Attendee"]):
    def visible_to(self, user: Any) -> Self:
        """With the meeting: who sits at one table may know who else does."""
        return self.filter(meeting__in=Meeting.objects.visible_to(user).values("pk"))


@tracked(exclude=["guest_name", "sex"])
class Attendee(models.Model):
    """Who is called to a meeting and who was there. A person is called once, also when they sit in two bodies.

    `seat` is the seat that a member or deputy takes; it votes when the seat does. A guest without a contact has a name
    here. `sex` is copied from the contact when attendance is recorded, so that counts outlive the removal of data.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="attendees", verbose_name=_("meeting"))
    contact = models.ForeignKey(
        Contact, models.PROTECT, null=True, blank=True, related_name="attendances", verbose_name=_("person")
    )
    guest_name = models.CharField(_("name of the guest"), max_length=120, blank=True)
    institution = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("institution")
    )
    seat = models.ForeignKey(
        BodyMember, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("seat")
    )
    role = models.CharField(_("as"), max_length=8, choices=AttendeeRole, default=AttendeeRole.MEMBER)
    called_sequence = models.IntegerField(default=-1, editable=False)  # of the last call mailed to them; -1: none
    answer = models.CharField(_("answer"), max_length=6, choices=Answer, default=Answer.NONE)
    answer_way = models.CharField(_("answered"), max_length=10, choices=AnswerWay, blank=True)
    answer_note = models.CharField(_("note"), max_length=300, blank=True)
    answered_at = models.DateTimeField(_("answered on"), null=True, blank=True)
    was_present = models.BooleanField(_("present"), null=True, blank=True)
    sex = models.CharField(_("sex"), max_length=1, choices=Sex, default=Sex.UNKNOWN)

    objects = AttendeeQuerySet.as_manager()

    class Meta:
        verbose_name = _("person called to a meeting")
        verbose_name_plural = _("people called to meetings")
        ordering = ["meeting", "role", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["meeting", "contact"], condition=Q(contact__isnull=False), name="attendee_once",
                violation_error_message=_("This person is called already."),
            ),
            models.UniqueConstraint(
                fields=["meeting", "seat"], condition=Q(seat__isnull=False, was_present=True),
                name="attendee_one_for_a_seat",
                violation_error_message=_("The member and the deputy cannot both take the seat."),
            ),
            models.CheckConstraint(
                condition=Q(contact__isnull=False) | Q(role="guest"),
                name="attendee_without_contact_is_a_guest",
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["institution", "meeting"], name="attendee_of_institution")]
        triggers = [frozen_by_minutes("guest_name")]

    def __str__(self) -> str:
        return str(self.contact) if self.contact is not None else self.guest_name or str(_("(data removed)"))


class MinutesCommentQuerySet(models.QuerySet["MinutesComment"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(meeting__in=Meeting.objects.visible_to(user).values("pk"))

    def standing(self) -> Self:
        """Those that their authors did not take back."""
        return self.filter(withdrawn_at__isnull=True)


@tracked
class MinutesComment(models.Model):
    """What somebody remarks on circulated minutes, and the office's answer."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    meeting = models.ForeignKey(Meeting, models.PROTECT, related_name="minutes_comments", verbose_name=_("meeting"))
    item = models.ForeignKey(
        AgendaItem, models.PROTECT, null=True, blank=True, related_name="comments",
        verbose_name=_("point of the agenda"),
    )  # fmt: skip
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("institution"))
    text = models.TextField(_("remark"), max_length=4000)
    language = models.CharField(_("language of the text"), max_length=10, choices=settings.LANGUAGES, default="sq")
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("on"), auto_now_add=True)
    is_taken_over = models.BooleanField(_("taken over"), null=True, blank=True)
    answer = models.CharField(_("answer"), max_length=1000, blank=True)
    answered_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("answered by")
    )
    answered_at = models.DateTimeField(_("answered on"), null=True, blank=True)
    withdrawn_at = models.DateTimeField(_("taken back on"), null=True, blank=True)

    objects = MinutesCommentQuerySet.as_manager()

    class Meta:
        verbose_name = _("remark on minutes")
        verbose_name_plural = _("remarks on minutes")
        ordering = ["meeting", "at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True) | Q(answered_at__isnull=True),
                name="remark_answered_or_taken_back",
                violation_error_message=_("What was answered is not taken back any more."),
            )
        ]
        triggers = [frozen_by_minutes()]

    def __str__(self) -> str:
        return str(self.institution)

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:meeting-minutes", args=[self.meeting_id])


class MinutesFileQuerySet(models.QuerySet["MinutesFile"]):
    def visible_to(self, user: Any) -> Self:
        """With the meeting, once the minutes are circulated; the office before."""
        found = self.filter(meeting__in=Meeting.objects.visible_to(user).values("pk"))
        if user.is_authenticated and (user.is_secretariat or user.is_natc):
            return found
        return found.filter(meeting__minutes_state__in=[MinutesState.CIRCULATED, MinutesState.ADOPTED])


@tracked
class MinutesFile(Attachment):
    """The minutes as a PDF in one language; those of adopted minutes are kept for good, others while nothing changes."""

    meeting = models.ForeignKey(Meeting, models.PROTECT, related_name="minutes_files", verbose_name=_("meeting"))
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES)
    stamp = models.CharField(max_length=64, editable=False)  # of what it was made from
    is_adopted = models.BooleanField(_("as adopted"), default=False)

    objects = MinutesFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("minutes as a file")
        verbose_name_plural = _("minutes as files")
        ordering = ["meeting", "language", "-uploaded_at"]

    def get_absolute_url(self) -> str:
        return reverse("stakeholders:minutes-file", args=[self.pk])


class CalendarFeedQuerySet(models.QuerySet["CalendarFeed"]):
    def visible_to(self, user: Any) -> Self:
        """One's own: the address of a feed is a key."""
        return self.filter(user=user) if user.is_authenticated else self.none()

    def open(self) -> Self:
        return self.filter(revoked_at__isnull=True)


class CalendarFeed(models.Model):
    """A private address from which a calendar program reads: all that a person may see, or one body's meetings.

    Only the hash of its key is kept; what it shows follows the person's rights at the moment of reading.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+", verbose_name=_("person"))
    body = models.ForeignKey(Body, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("body"))
    key_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(_("made"), auto_now_add=True)
    last_read_at = models.DateTimeField(_("last read"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("closed"), null=True, blank=True)

    objects = CalendarFeedQuerySet.as_manager()

    class Meta:
        verbose_name = _("calendar feed")
        verbose_name_plural = _("calendar feeds")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "body"], condition=Q(revoked_at__isnull=True), nulls_distinct=False,
                name="calendar_feed_one_open",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return str(self.pk)
