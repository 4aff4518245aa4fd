"""What of stakeholders can be found (onatc.search), each with the tokens that say what its `visible_to` says."""

from django.db.models import Prefetch
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from onatc.search import Found, Kind, joined, register
from stakeholders.models import Agreement, AgreementParty, FormerName, Institution, RoleAssignment, User


def _institution(one: Institution) -> Found:
    former = [
        part for name in one.former_names.all() for part in (name.name_sq, name.name_sr, name.name_en, name.short)
    ]
    title = {"sq": one.name_sq, "sr": one.name_sr, "en": one.name_en}
    return Found(title, joined([one.short, one.code, *former]), one.get_absolute_url(), ["all"])


def _person(one: User) -> Found:
    roles = one.role_assignments.all()
    return Found(
        {"sq": one.full_name, "sr": one.full_name, "en": one.full_name},
        joined([one.email, *(role.institution.short for role in roles)]),
        reverse("stakeholders:person-detail", args=[one.pk]),
        ["office", "administrator", f"u{one.pk.hex}", *(f"i{role.institution_id.hex}" for role in roles)],
    )


def _agreement(one: Agreement) -> Found:
    title = {"sq": one.title_sq, "sr": one.title_sr, "en": one.title_en}
    parties = one.parties.all()
    text = joined([*title.values(), one.number, one.subject, *(party.institution.short for party in parties)])
    bound = [f"c{party.institution_id.hex}" for party in parties] if one.signed_on is not None else []
    return Found(title, text, one.get_absolute_url(), ["office", *bound])


def register_own() -> None:
    register(
        Kind(
            "institution", _("institution"), Institution, _institution,
            lambda: Institution.objects.prefetch_related("former_names"), {FormerName: "former_names"},
        )
    )  # fmt: skip
    register(
        Kind(
            "person", _("person"), User, _person,
            lambda: User.objects.filter(is_active=True).prefetch_related(
                Prefetch("role_assignments", RoleAssignment.objects.active().select_related("institution"))
            ),
            {RoleAssignment: "role_assignments"},
            changes_by_the_day=True,
        )
    )  # fmt: skip
    register(
        Kind(
            "agreement", _("agreement"), Agreement, _agreement,
            lambda: Agreement.objects.prefetch_related("parties__institution"), {AgreementParty: "parties"},
        )
    )  # fmt: skip
