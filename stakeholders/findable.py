"""What of stakeholders can be found (onatc.search), each with the tokens that say what its `visible_to` says."""

from django.db.models import Prefetch
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from onatc.search import Found, Kind, joined, register, text_of_file
from onatc.texts import COLUMNS
from stakeholders.models import (
    BodyMember,
    Circular,
    CircularState,
    Event,
    EventPartner,
    FormerName,
    Institution,
    LibraryDocument,
    LibraryFile,
    LibraryReader,
    RoleAssignment,
    User,
)


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


def _titles(one: Event | Circular | LibraryDocument) -> dict[str, str]:
    return {column: getattr(one, f"title_{column}") for column in COLUMNS}


def _event(one: Event) -> Found:
    partners = [partner.institution for partner in one.partners.all() if partner.institution is not None]
    said = [*_titles(one).values(), one.about, one.outcome, one.place, one.organiser.short]
    near = dict.fromkeys(f"c{institution.pk.hex}" for institution in partners)
    scopes = ["office", *(["plan_reader"] if one.is_public else near)]
    return Found(_titles(one), joined([*said, *(one.short for one in partners)]), one.get_absolute_url(), scopes)


def _circular(one: Circular) -> Found:
    """The office, and once it is sent whom it went to, with the institutions for which they got it."""
    scopes = ["office"]
    if one.state == CircularState.SENT:
        got = list(one.recipients.values_list("contact__user", "institution"))
        scopes += dict.fromkeys(f"u{user.hex}" for user, _institution in got if user is not None)
        scopes += dict.fromkeys(f"c{institution.hex}" for _user, institution in got if institution is not None)
    texts = [getattr(one, f"text_{column}") for column in COLUMNS]
    return Found(_titles(one), joined([*_titles(one).values(), *texts]), one.get_absolute_url(), scopes)


def _readers(document: LibraryDocument) -> list[str]:
    """Everybody who cooperates, or the institutions that sit today in the bodies for which it is."""
    if document.is_for_all:
        return ["office", "plan_reader"]
    sits = BodyMember.objects.on().filter(body__in=document.readers.values("body"))
    return ["office", *dict.fromkeys(f"c{pk.hex}" for pk in sits.values_list("institution", flat=True))]


def _document(one: LibraryDocument) -> Found:
    return Found(_titles(one), joined([*_titles(one).values(), one.about]), one.get_absolute_url(), _readers(one))


def _library_file(one: LibraryFile) -> Found:
    title = dict.fromkeys(COLUMNS, one.original_name)
    text = joined([*_titles(one.document).values(), one.note, text_of_file(one)])
    return Found(title, text, one.document.get_absolute_url(), _readers(one.document))


def register_outreach() -> None:
    """Events, circulars, the library."""
    register(
        Kind(
            "event", _("event or campaign"), Event, _event,
            lambda: Event.objects.select_related("organiser").prefetch_related("partners__institution"),
            {EventPartner: "partners"},
        )
    )  # fmt: skip
    register(Kind("circular", _("circular"), Circular, _circular, lambda: Circular.objects.all()))
    register(
        Kind(
            "document", _("document of the library"), LibraryDocument, _document, lambda: LibraryDocument.objects.all(),
            {LibraryReader: "readers", BodyMember: "readers__body__members"},
            changes_by_the_day=True,
        )
    )  # fmt: skip
    register(
        Kind(
            "document_file", _("file of the library"), LibraryFile, _library_file,
            lambda: LibraryFile.objects.select_related("document"),
            {LibraryDocument: "document", LibraryReader: "document__readers", BodyMember: "document__readers__body__members"},
            reads_files=True,
            changes_by_the_day=True,
        )
    )  # fmt: skip


def register_own() -> None:
    register_outreach()
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
