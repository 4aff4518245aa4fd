"""The services directory: who gives which help to whom, where, in which languages, and with how many free places.

A shelter's address stands in a table of its own (`ServiceAddress`), sealed, and is never joined into anything (threats.md
T35). Of a service whose place is kept secret the municipality, too, is for those alone who keep the directory and for the
provider's own people: `Service.shows_place_to`, and the same rule for the database in `ServiceQuerySet.measured_from`.
"""

from __future__ import annotations

from datetime import date
from math import cos, radians
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, F, FloatField, Q, Value, When
from django.db.models.functions import ASin, Cast, Cos, Least, Power, Radians, Sin, Sqrt
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from nrm.distance import EARTH_KM
from nrm.freshness import Freshness, due_since, fresh_since, freshness
from onatc.history import tracked
from onatc.ids import new_id
from onatc.keys import Unreadable, seal, unseal
from onatc.models import Municipality
from onatc.texts import Translated
from stakeholders.models import Institution, Role, User

PLACE_KEEPERS = (Role.DIRECTOR, Role.PLANNING, Role.MONITORING, Role.CHILD)
ENDED = "ended"


class Area(models.TextChoices):
    """Whom a service reaches, by where they are."""

    COUNTRY = "country", pgettext_lazy("nrm", "the whole country")
    DISTRICTS = "districts", pgettext_lazy("nrm", "districts")
    MUNICIPALITIES = "municipalities", pgettext_lazy("nrm", "municipalities")


class Cost(models.TextChoices):
    FREE = "free", pgettext_lazy("nrm", "free of charge")
    REFERRED = "referred", pgettext_lazy("nrm", "free for whoever is referred")
    FEE = "fee", pgettext_lazy("nrm", "against a fee")


class Spoken(models.TextChoices):
    """Languages in which help is given, by their ISO 639 codes where there is one."""

    SQ = "sq", _("Albanian")
    SR = "sr", _("Serbian")
    BS = "bs", _("Bosnian")
    TR = "tr", _("Turkish")
    ROM = "rom", _("Romani")
    EN = "en", _("English language")
    DE = "de", _("German")
    RU = "ru", _("Russian")
    UK = "uk", _("Ukrainian")
    AR = "ar", _("Arabic")
    SIGN = "sign", _("sign language")
    INTERPRETER = "interpreter", _("others with an interpreter")


class Accessible(models.TextChoices):
    STEP_FREE = "step_free", _("without steps")
    BATHROOM = "bathroom", _("adapted bathroom")
    EASY = "easy", _("easy language")
    VISITS = "visits", _("comes to the person")
    REMOTE = "remote", _("by telephone or online")


def kilometres_from(municipality: Municipality) -> Any:
    """How far the municipality of a service lies from another one: what `nrm.distance.kilometres` says, for the database."""
    here, along = radians(float(municipality.latitude)), radians(float(municipality.longitude))
    there: Any = Radians(Cast("municipality__latitude", FloatField()))
    along_there: Any = Radians(Cast("municipality__longitude", FloatField()))
    up: Any = Power(Sin((there - here) / 2.0), 2)
    across: Any = Power(Sin((along_there - along) / 2.0), 2)
    inner = up + Value(cos(here)) * Cos(there) * across
    return Value(2 * EARTH_KM) * ASin(Sqrt(Least(inner, Value(1.0))))


def codes(label: Any) -> Any:
    """Codes of a list, or of choices; none are all."""
    return ArrayField(models.CharField(max_length=40), verbose_name=label, default=list, blank=True)


class ServiceQuerySet(models.QuerySet["Service"]):
    def visible_to(self, user: Any) -> Self:
        """The directory is for whoever works in the mechanism: the office, who reports for an institution, observers."""
        if not user.is_authenticated or not user.sees_mechanism:
            return self.none()
        return self

    def current(self, on: date | None = None) -> Self:
        day = on or timezone.localdate()
        return self.filter(Q(ended_on__isnull=True) | Q(ended_on__gt=day))

    def ended(self, on: date | None = None) -> Self:
        return self.filter(ended_on__lte=on or timezone.localdate())

    def public(self) -> Self:
        """What everybody may know of, signed in or not."""
        return self.current().filter(is_public=True)

    def with_standing(self, on: date | None = None) -> Self:
        """With `standing`, what `Service.standing_on` says of the day."""
        day = on or timezone.localdate()
        return self.annotate(
            standing=Case(
                When(ended_on__lte=day, then=Value(ENDED)),
                When(confirmed_on__gte=fresh_since(day), then=Value(Freshness.FRESH.value)),
                When(confirmed_on__gte=due_since(day), then=Value(Freshness.DUE.value)),
                default=Value(Freshness.AGEING.value),
                output_field=models.CharField(),
            )
        )

    def reaching(self, municipality: Municipality) -> Self:
        """Those that help people who are in a municipality."""
        return self.filter(
            Q(area=Area.COUNTRY)
            | Q(area=Area.DISTRICTS, area_districts__contains=[municipality.district_id])
            | Q(area=Area.MUNICIPALITIES, area_municipalities__contains=[municipality.pk])
        )

    def measured_from(self, municipality: Municipality | None, user: Any = None) -> Self:
        """With `kilometres` from there: none without a place to measure from, and none where the reader may not know the
        place, so that no order and no number points to a shelter. Without a reader nobody may."""
        if municipality is None:
            return self.annotate(kilometres=Value(None, output_field=FloatField()))
        distance = kilometres_from(municipality)
        if user is not None and user.has_role(*PLACE_KEEPERS):
            return self.annotate(kilometres=distance)
        known = Q(hides_place=False)
        if user is not None:
            known |= Q(provider__in=user.institution_ids)
        return self.annotate(kilometres=Case(When(known, then=distance), output_field=FloatField()))

    def helping(self, *, is_child: bool | None = None, sex: str = "", kind: str = "") -> Self:
        """Those that help such a person with that: a child or an adult, of a sex (one that is not known is refused by
        none that takes all), with a kind of help."""
        found = self
        if is_child is not None:
            found = found.filter(Q(for_children=True) if is_child else Q(for_adults=True))
        if sex:
            found = found.filter(Q(sexes=[]) | Q(sexes__contains=[sex]))
        if kind:
            found = found.filter(kinds__contains=[kind])
        return found


@tracked(exclude=["places_number"])
class Service(models.Model):
    """Help that an institution gives. Of the place only the municipality stands here; `hides_place` keeps it, and the
    provider's name, from the public. `places_free` is what was said on `places_on`; `places_number` counts what was said.

    `confirmed_on` is when the provider last said that all of this is still right; `revision` counts changes of the text.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    provider = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("provider"))
    name_sq = models.CharField(_("name in Albanian"), max_length=200, blank=True)
    name_sr = models.CharField(_("name in Serbian"), max_length=200, blank=True)
    name_en = models.CharField(_("name in English"), max_length=200, blank=True)
    name = Translated("name")
    about_sq = models.TextField(_("description in Albanian"), max_length=2000, blank=True)
    about_sr = models.TextField(_("description in Serbian"), max_length=2000, blank=True)
    about_en = models.TextField(_("description in English"), max_length=2000, blank=True)
    about = Translated("about")
    kinds = codes(_("kinds of help"))
    shelter_type = models.CharField(_("kind of shelter"), max_length=40, blank=True)
    # For whom
    for_adults = models.BooleanField(_("for adults"), default=True)
    for_children = models.BooleanField(_("for children"), default=False)
    sexes = codes(_("only for"))
    risk_levels = codes(_("only for the risk"))
    takes_foreigners = models.BooleanField(_("also for foreigners"), default=True)
    takes_families = models.BooleanField(_("also with their family"), default=False)
    # Where
    municipality = models.ForeignKey(
        Municipality, models.PROTECT, related_name="+", verbose_name=_("municipality of its seat")
    )
    hides_place = models.BooleanField(_("its place is kept secret"), default=False)
    area = models.CharField(pgettext_lazy("nrm", "reaches"), max_length=15, choices=Area, default=Area.COUNTRY)
    area_districts = codes(_("districts"))
    area_municipalities = codes(_("municipalities"))
    # How many, how, when, for how much
    capacity = models.PositiveSmallIntegerField(pgettext_lazy("nrm", "places"), null=True, blank=True)
    places_free = models.PositiveSmallIntegerField(_("free places"), null=True, blank=True)
    places_on = models.DateField(_("free places as of"), null=True, blank=True)
    places_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("free places told by")
    )
    places_number = models.PositiveIntegerField(default=0)
    languages = codes(_("languages in which help is given"))
    accessibility = codes(_("accessibility"))
    opening_sq = models.CharField(_("opening hours in Albanian"), max_length=200, blank=True)
    opening_sr = models.CharField(_("opening hours in Serbian"), max_length=200, blank=True)
    opening_en = models.CharField(_("opening hours in English"), max_length=200, blank=True)
    opening = Translated("opening")
    is_round_the_clock = models.BooleanField(_("round the clock"), default=False)
    cost = models.CharField(_("cost"), max_length=10, choices=Cost, default=Cost.FREE)
    # The public part, and the part for who works in the mechanism
    is_public = models.BooleanField(_("on the public page"), default=False)
    public_name_sq = models.CharField(_("public name in Albanian"), max_length=200, blank=True)
    public_name_sr = models.CharField(_("public name in Serbian"), max_length=200, blank=True)
    public_name_en = models.CharField(_("public name in English"), max_length=200, blank=True)
    public_name = Translated("public_name")
    public_contact = models.CharField(_("public contact"), max_length=300, blank=True)
    reserved_contact = models.CharField(_("contact for institutions"), max_length=300, blank=True)
    # Its life
    confirmed_on = models.DateField(_("confirmed on"), null=True, blank=True)
    confirmed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("confirmed by")
    )
    ended_on = models.DateField(_("ended on"), null=True, blank=True)
    end_reason = models.CharField(_("why it ended"), max_length=500, blank=True)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("recorded by"))
    created_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    revision = models.PositiveIntegerField(default=0)

    objects = ServiceQuerySet.as_manager()

    class Meta:
        verbose_name = _("service")
        verbose_name_plural = _("services")
        ordering = ["provider__code", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(name_sq="", name_sr="", name_en=""),
                name="service_has_a_name",
                violation_error_message=_("Write the name in one language at least."),
            ),
            models.CheckConstraint(
                condition=~Q(kinds=[]),
                name="service_says_which_help",
                violation_error_message=_("Say which help is given."),
            ),
            models.CheckConstraint(
                condition=Q(for_adults=True) | Q(for_children=True),
                name="service_is_for_somebody",
                violation_error_message=_("Say whether it is for adults, for children or for both."),
            ),
            models.CheckConstraint(
                condition=Q(area="country", area_districts=[], area_municipalities=[])
                | Q(area="districts", area_municipalities=[]) & ~Q(area_districts=[])
                | Q(area="municipalities", area_districts=[]) & ~Q(area_municipalities=[]),
                name="service_area_is_named",
                violation_error_message=_("Name the districts, or the municipalities, that it reaches, and not both."),
            ),
            models.CheckConstraint(
                condition=Q(places_free__isnull=True)
                | Q(capacity__isnull=False, places_on__isnull=False, places_free__lte=F("capacity")),
                name="service_free_places_within_capacity",
                violation_error_message=_("There cannot be more free places than there are places."),
            ),
            models.CheckConstraint(
                condition=Q(is_public=False)
                | Q(hides_place=False)
                | ~Q(public_name_sq="", public_name_sr="", public_name_en=""),
                name="service_secret_has_a_public_name",
                violation_error_message=_(
                    "Its place is kept secret: write under which name of a contact point the public sees it."
                ),
            ),
            models.CheckConstraint(
                condition=Q(is_public=False) | ~Q(public_contact=""),
                name="service_public_has_a_contact",
                violation_error_message=_("Write how the public reaches it."),
            ),
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True, end_reason="") | Q(ended_on__isnull=False) & ~Q(end_reason=""),
                name="service_ended_with_a_reason",
                violation_error_message=_("A service ends on a day, with the reason."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.name)

    def get_absolute_url(self) -> str:
        return reverse("nrm:service-detail", args=[self.pk])

    def standing_on(self, day: date) -> str:
        """`ended`, or how fresh it is."""
        if self.ended_on is not None and self.ended_on <= day:
            return ENDED
        return freshness(self.confirmed_on, day).value

    @property
    def is_over(self) -> bool:
        return self.standing_on(timezone.localdate()) == ENDED

    def shows_place_to(self, user: Any) -> bool:
        """Whether a reader may know in which municipality it is: the same for the database in `measured_from`."""
        return not self.hides_place or user.has_role(*PLACE_KEEPERS) or self.provider_id in user.institution_ids

    @property
    def shown_name(self) -> Any:
        """The name that the public sees."""
        return self.public_name or self.name if not self.hides_place else self.public_name


class ServiceAddressQuerySet(models.QuerySet["ServiceAddress"]):
    def visible_to(self, user: Any) -> Self:
        """The Director and the monitoring officer; the child protection officer where children are helped; who reports for
        the provider. Institutions that refer somebody are told by telephone."""
        if not user.is_authenticated:
            return self.none()
        if user.has_role(Role.DIRECTOR, Role.MONITORING):
            return self
        allowed = Q(service__provider__in=user.institution_ids)
        if user.has_role(Role.CHILD):
            allowed |= Q(service__for_children=True)
        return self.filter(allowed)


@tracked(exclude=["sealed"])
class ServiceAddress(models.Model):
    """Where a service is, street and number. It is read on its own page alone, after a purpose was stated, and on record
    (threats.md T35). Sealed with `FIELD_KEYS` and bound to its row; the history says that it changed, not what it was."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    service = models.OneToOneField(Service, models.PROTECT, related_name="+", verbose_name=_("service"))
    sealed = models.BinaryField()
    written_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("written by"))
    written_at = models.DateTimeField(pgettext_lazy("nrm", "written"), default=timezone.now)
    revision = models.PositiveIntegerField(default=0)

    objects = ServiceAddressQuerySet.as_manager()

    class Meta:
        verbose_name = _("address of a service")
        verbose_name_plural = _("addresses of services")

    def __str__(self) -> str:
        return str(self.pk)

    def get_absolute_url(self) -> str:
        return reverse("nrm:service-address", args=[self.service_id])

    @property
    def _place(self) -> str:
        return f"service address {self.service_id}"

    def put(self, text: str) -> None:
        self.sealed = seal(text.encode(), self._place)

    def read(self) -> str | None:
        """The address; None when the key that sealed it is not there."""
        try:
            return unseal(bytes(self.sealed), self._place).decode()
        except Unreadable:
            return None


class OfServiceQuerySet(models.QuerySet[Any]):
    """What everybody may see who sees the service."""

    def visible_to(self, user: Any) -> Self:
        return self.filter(service__in=Service.objects.visible_to(user).values("pk"))


@tracked
class PlacesReport(models.Model):
    """What was said of the free places on a day; the last one counts."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    service = models.ForeignKey(Service, models.CASCADE, related_name="places_reports", verbose_name=_("service"))
    number = models.PositiveIntegerField(_("number"))
    on = models.DateField(_("as of"))
    free = models.PositiveSmallIntegerField(_("free places"))
    capacity = models.PositiveSmallIntegerField(pgettext_lazy("nrm", "places"))
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("told by"))
    at = models.DateTimeField(_("recorded"), auto_now_add=True)

    objects = OfServiceQuerySet.as_manager()

    class Meta:
        verbose_name = _("report of free places")
        verbose_name_plural = _("reports of free places")
        ordering = ["service", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["service", "number"], name="places_report_once"),
            models.CheckConstraint(
                condition=Q(free__lte=F("capacity")),
                name="places_report_within_capacity",
                violation_error_message=_("There cannot be more free places than there are places."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.on} {self.free}/{self.capacity}"


class ServiceProposalQuerySet(models.QuerySet["ServiceProposal"]):
    def visible_to(self, user: Any) -> Self:
        """The office, and the provider's own people."""
        if not user.is_authenticated or not user.sees_mechanism:
            return self.none()
        return self if user.is_office else self.filter(service__provider__in=user.institution_ids)

    def open(self) -> Self:
        return self.filter(decided_at__isnull=True)


@tracked
class ServiceProposal(models.Model):
    """What a provider wants to have changed in the entry of its service, and what the office did with it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    service = models.ForeignKey(Service, models.CASCADE, related_name="proposals", verbose_name=_("service"))
    text = models.TextField(_("what is to be changed"), max_length=2000)
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("proposed by"))
    at = models.DateTimeField(_("proposed"), auto_now_add=True)
    is_taken_up = models.BooleanField(_("taken up"), null=True)
    answer = models.CharField(_("answer"), max_length=1000, blank=True)
    decided_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("answered by")
    )
    decided_at = models.DateTimeField(_("answered"), null=True, blank=True)

    objects = ServiceProposalQuerySet.as_manager()

    class Meta:
        verbose_name = _("proposal on a service")
        verbose_name_plural = _("proposals on services")
        ordering = ["service", "-at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_at__isnull=True, is_taken_up__isnull=True, decided_by__isnull=True)
                | Q(decided_at__isnull=False, is_taken_up__isnull=False, decided_by__isnull=False),
                name="service_proposal_answered_whole",
            ),
            models.CheckConstraint(
                condition=Q(is_taken_up__isnull=True) | Q(is_taken_up=True) | ~Q(answer=""),
                name="service_proposal_declined_with_a_reason",
                violation_error_message=_("Say why it is not taken up."),
            ),
        ]

    def __str__(self) -> str:
        return self.text[:80]
