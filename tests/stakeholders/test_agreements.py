"""Agreements (Article 8.3/2c): what is prepared, signed, in force, renewed and ended; who sees it; the matrix and its holes."""

from __future__ import annotations

import threading
import uuid
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onatc.errors import Refused
from onatc.periods import Period
from stakeholders import calendar, ownership
from stakeholders.actions import agreements
from stakeholders.actions.agreements import Party
from stakeholders.actions.records import Stale
from stakeholders.models import (
    Agreement,
    AgreementFile,
    AgreementParty,
    Contact,
    ContactFunction,
    Country,
    Institution,
)
from stakeholders.queries import agreements as queries
from strategy import computed, evidence
from tests.samples import document
from tests.stakeholders.agreed import a_signed_agreement, an_agreement, an_obligation, in_days, institution
from tests.stakeholders.gathered import a_meeting, a_point

pytestmark = pytest.mark.django_db


def url(name: str, *args) -> str:
    return reverse(f"stakeholders:{name}", args=args)


def refresh(record):
    record.refresh_from_db()
    return record


def form_of(world, **changes):
    return {
        "key": str(uuid.uuid4()), "kind": "memorandum", "number": "", "responsible": world.planning.pk, "country": "",
        "title_sq": "Memorandum", "title_sr": "", "title_en": "", "subject": "", "language": "sq", "data_shared": "",
        "data_basis": "", "data_protection": "", "party_0": institution("NATC").pk, "signed_as_0": "Koordinatori",
        "party_1": institution("MOH").pk, "signed_as_1": "", "party_2": "", "signed_as_2": "",
    } | changes  # fmt: skip


def dates(**changes):
    return {
        "signed_on": in_days(-5).isoformat(),
        "in_force_on": "",
        "expires_on": "",
        "review_on": "",
        "revision": "0",
    } | {name: value.isoformat() if isinstance(value, date) else value for name, value in changes.items()}


# The standing, by the record and in the database

OFFSETS = st.one_of(st.none(), st.integers(0, 40))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    signed=OFFSETS,
    begins=st.integers(0, 20),
    lasts=OFFSETS,
    ends=OFFSETS,
    asked=st.integers(-5, 90),
    in_force=st.booleans(),
)
def test_the_database_and_the_record_agree_on_where_an_agreement_stands(
    world, signed, begins, lasts, ends, asked, in_force
):
    start = date(2028, 2, 10)  # the leap day lies within
    fields = {"kind": "other", "title_en": "x", "responsible": world.people["planning"]}
    if signed is not None:
        fields["signed_on"] = start + timedelta(days=signed)
        if in_force:
            fields["in_force_on"] = fields["signed_on"] + timedelta(days=begins)
            if lasts is not None:
                fields["expires_on"] = fields["in_force_on"] + timedelta(days=lasts)
        if ends is not None:
            fields |= {"ended_on": fields["signed_on"] + timedelta(days=ends), "end_reason": "x"}
    agreement = Agreement.objects.create(**fields)
    day = start + timedelta(days=asked)
    asked_of_database = Agreement.objects.with_state(day).get(pk=agreement.pk)
    assert asked_of_database.state == agreement.standing_on(day)
    holds = Agreement.objects.in_force(day).filter(pk=agreement.pk).exists()
    assert holds == (agreement.standing_on(day) == "in_force")
    agreement.delete()


def test_its_last_day_is_one_of_its_days(world):
    agreement = a_signed_agreement(world, expires_on=date(2028, 2, 29))
    assert agreement.standing_on(date(2028, 2, 29)) == "in_force"
    assert agreement.standing_on(date(2028, 3, 1)) == "expired"


# Preparing and changing


def test_an_agreement_is_prepared_once_however_often_the_form_is_sent(world, client_for):
    client, form = client_for("planning"), form_of(world)
    page = client.post(url("agreement-create"), form, follow=True).content.decode()
    assert "being prepared" in page and "Memorandum" in page
    assert client.post(url("agreement-create"), form).status_code == 302
    agreement = Agreement.objects.get()
    assert sorted(one.institution.code for one in agreement.parties.all()) == ["MOH", "NATC"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"title_sq": " "}, "Write the title in one language at least."),
        ({"kind": "treaty"}, "Select a valid choice"),
        ({"party_0": "", "signed_as_0": "", "party_1": ""}, "Name at least one party."),
        ({"party_0": "nonsense"}, "is not a valid"),
        ({"party_2": "", "signed_as_2": "Ministri"}, "Say which institution it is."),
        ({"subject": "Thirrni +383 44 123 456"}, "looks like data of a person"),
        ({"title_sq": "a\x00b"}, "Null characters are not allowed."),
        ({"country": "ZZ"}, "Select a valid choice"),
        ({"responsible": "1' OR 1=1"}, "valid"),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_is_lost(world, client_for, changes, sentence):
    page = client_for("planning").post(url("agreement-create"), form_of(world, number="Kept as typed", **changes))
    text = page.content.decode()
    assert page.status_code == 200 and sentence in text and "Kept as typed" in text
    assert not Agreement.objects.exists()


def test_an_institution_is_a_party_once_and_none_that_was_dissolved(world, client_for):
    client, moh = client_for("planning"), institution("MOH").pk
    assert "is a party once" in client.post(url("agreement-create"), form_of(world, party_2=moh)).content.decode()
    Institution.objects.filter(code="MOH").update(dissolved_on=in_days(-1))
    assert "was dissolved on" in client.post(url("agreement-create"), form_of(world)).content.decode()


def test_many_parties_need_no_script(world, client_for):
    codes = ["NATC", "MOH", "MOJ", "KP", "SPO", "IOM", "OSCE"]
    rows = {f"party_{number}": institution(code).pk for number, code in enumerate(codes)}
    client_for("planning").post(url("agreement-create"), form_of(world) | rows)
    agreement = Agreement.objects.get()
    assert agreement.parties.count() == 7
    page = client_for("planning").get(url("agreement-edit", agreement.pk)).content.decode()
    assert 'name="party_9"' in page and 'name="party_10"' not in page


def test_the_focal_person_is_a_contact_of_the_institution(world, client_for):
    there = Contact.objects.create(full_name="Këtu Është")
    elsewhere = Contact.objects.create(full_name="Gjetkë Është")
    ContactFunction.objects.create(contact=there, institution=institution("MOH"), title="x")
    ContactFunction.objects.create(contact=elsewhere, institution=institution("MOJ"), title="x")
    agreement, client = an_agreement(world, parties=["MOH", "NATC"]), client_for("planning")
    page = client.get(url("agreement-edit", agreement.pk)).content.decode()
    assert "Këtu Është" in page and "Gjetkë Është" not in page
    order = [one.institution.code for one in agreement.parties.order_by("pk")]
    number = order.index("MOH")
    form = form_of(world, revision=0) | {f"party_{place}": institution(code).pk for place, code in enumerate(order)}
    wrong = client.post(url("agreement-edit", agreement.pk), form | {f"focal_{number}": elsewhere.pk})
    assert wrong.status_code == 200
    assert client.post(url("agreement-edit", agreement.pk), form | {f"focal_{number}": there.pk}).status_code == 302
    assert agreement.parties.get(institution__code="MOH").focal_person == there
    # A party's own people see who it is, another party's do not.
    agreements.sign(refresh(agreement), by=world.director, revision=agreement.revision, signed_on=in_days(0),
                    in_force_on=None, expires_on=None, review_on=None)  # fmt: skip
    assert "Këtu Është" in client_for("other_focal_point").get(agreement.get_absolute_url()).content.decode()


def test_a_focal_person_who_left_is_a_hole_that_the_office_fills(world, client_for):
    contact = Contact.objects.create(full_name="Dikush Tjetër", email="someone@example.org")
    function = ContactFunction.objects.create(contact=contact, institution=institution("MOH"), title="x")
    agreement = a_signed_agreement(world, parties=["NATC", ("MOH", contact)])
    page = client_for("planning").get(agreement.get_absolute_url()).content.decode()
    assert "focal person: Dikush Tjetër" in page and "no longer there" not in page
    function.ends_on = in_days(-1)
    function.save()
    page = client_for("planning").get(agreement.get_absolute_url()).content.decode()
    assert "Dikush" not in page and "the focal person is no longer there" in page and "Name the focal person" in page


def test_a_stale_form_shows_what_stands_there_now(world, client_for):
    agreement = an_agreement(world, parties=["NATC", "MOH"])
    form = form_of(world, revision=0, title_sq="E imja")
    values = {"title_sq": "E tyre"}
    agreements.change(
        agreement, values, [Party(institution("NATC")), Party(institution("IOM"))], by=world.director, revision=0
    )
    client = client_for("planning")
    text = client.post(url("agreement-edit", agreement.pk), form).content.decode()
    assert "A colleague changed this" in text and "E tyre" in text and "E imja" in text
    assert str(institution("IOM").name) in text
    assert client.post(url("agreement-edit", agreement.pk), form | {"revision": 1}).status_code == 302
    assert refresh(agreement).title_sq == "E imja"
    with pytest.raises(Stale):  # of the parties alone
        agreements.change(agreement, {}, [Party(institution("KP"))], by=world.planning, revision=0)


def test_a_party_that_owes_something_stays(world):
    agreement = a_signed_agreement(world)
    an_obligation(world, agreement, owes="MOH")
    with pytest.raises(Refused, match="stays a party"):
        agreements.change(
            agreement,
            {},
            [Party(institution("NATC")), Party(institution("IOM"))],
            by=world.planning,
            revision=agreement.revision,
        )


def test_what_was_never_signed_can_go_and_what_was_signed_stays(world, client_for):
    agreement = an_agreement(world)
    an_obligation(world, agreement)
    client = client_for("planning")
    client.post(url("agreement-remove", agreement.pk), {"revision": "7"})
    assert Agreement.objects.filter(pk=agreement.pk).exists()
    assert client.post(url("agreement-remove", agreement.pk), {"revision": "0"}).url == url("agreement-list")
    assert not Agreement.objects.exists()
    agreements.remove(agreement, by=world.planning, revision=0)  # twice is once
    with pytest.raises(Refused, match="stays on record"):
        agreements.remove(a_signed_agreement(world), by=world.planning, revision=1)


# Signing, dates, end


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"in_force_on": in_days(3), "expires_on": in_days(2)}, "expires_on", "must not end before it begins"),
        ({"in_force_on": in_days(-6)}, "in_force_on", "cannot be in force before it is signed"),
        ({"expires_on": in_days(100)}, "in_force_on", "Say from when it holds"),
        ({"in_force_on": in_days(3), "review_on": in_days(2)}, "review_on", "must not lie before the agreement begins"),
        (
            {"in_force_on": in_days(3), "expires_on": in_days(30), "review_on": in_days(31)},
            "review_on",
            "must not lie after",
        ),
        ({"signed_on": in_days(1)}, "signed_on", "lies in the future"),
        ({"signed_on": "31.02.2026"}, "signed_on", "Enter a valid date."),
        ({"signed_on": ""}, "signed_on", "This field is required."),
    ],
)
def test_an_agreement_that_ends_before_it_begins_is_refused_at_its_field(world, client_for, changes, field, sentence):
    agreement = an_agreement(world)
    page = client_for("director").post(url("agreement-sign", agreement.pk), dates(**changes))
    assert (
        page.status_code == 200
        and page.context["form"].errors[field]
        and sentence in str(page.context["form"].errors[field])
    )
    assert refresh(agreement).signed_on is None


def test_from_preparation_to_force_in_the_browser(world, client_for):
    agreement, director, planning = an_agreement(world), client_for("director"), client_for("planning")
    page = planning.get(agreement.get_absolute_url()).content.decode()
    assert "Record the signing" not in page
    form = dates() | {"attachments": SimpleUploadedFile("teksti.pdf", document())}
    assert director.post(url("agreement-sign", agreement.pk), form).status_code == 302
    assert refresh(agreement).standing == "signed"
    assert agreement.versions.get().files.get().original_name == "teksti.pdf"
    assert "Put in force" in planning.get(agreement.get_absolute_url()).content.decode()
    again = director.post(
        url("agreement-sign", agreement.pk), dates(signed_on=in_days(-4), revision=str(agreement.revision))
    )
    assert "on record already" in again.content.decode()
    moved = dates(in_force_on=in_days(-4), expires_on=in_days(10), revision=str(agreement.revision))
    assert planning.post(url("agreement-dates", agreement.pk), moved).status_code == 302
    assert refresh(agreement).standing == "in_force"
    page = planning.get(agreement.get_absolute_url()).content.decode()
    assert "ends soon" in page and "10 days left" in page and "Renew" in page
    stale = planning.post(url("agreement-dates", agreement.pk), moved | {"expires_on": in_days(11).isoformat()})
    assert "A colleague changed this" in stale.content.decode()


def test_who_may_sign_and_end(world):
    agreement = an_agreement(world)
    days = {"signed_on": in_days(0), "in_force_on": None, "expires_on": None, "review_on": None}
    for name in ("planning", "monitoring", "child", "information", "focal_point", "observer", "administrator"):
        with pytest.raises(PermissionDenied):
            agreements.sign(agreement, by=getattr(world, name), revision=0, **days)
    for name in ("natc", "focal_point", "observer", "administrator"):
        with pytest.raises(PermissionDenied):
            agreements.set_dates(
                agreement, by=getattr(world, name), revision=0, in_force_on=None, expires_on=None, review_on=None
            )
    agreements.sign(agreement, by=world.natc, revision=0, **days)
    agreements.sign(agreement, by=world.director, revision=0, **days)  # the same again
    with pytest.raises(Refused, match="on record already"):
        agreements.sign(agreement, by=world.director, revision=1, **days | {"signed_on": in_days(-1)})
    with pytest.raises(PermissionDenied):
        agreements.end(agreement, by=world.planning, revision=1, ended_on=in_days(0), reason="x")


def test_what_is_signed_is_what_was_read(world):
    agreement = an_agreement(world)
    agreements.change(
        agreement,
        {"number": "7"},
        [Party(institution("NATC")), Party(institution("MOH"))],
        by=world.planning,
        revision=0,
    )
    days = {"signed_on": in_days(0), "in_force_on": None, "expires_on": None, "review_on": None}
    with pytest.raises(Refused, match="Read it again"):
        agreements.sign(agreement, by=world.director, revision=0, **days)


def test_data_are_shared_only_when_it_is_said_which_and_on_what_basis(world, client_for):
    agreement = an_agreement(world, kind="data_sharing")
    assert "cannot be signed yet" in client_for("director").get(agreement.get_absolute_url()).content.decode()
    page = client_for("director").post(url("agreement-sign", agreement.pk), dates())
    assert "which data and on what legal basis" in page.content.decode() and refresh(agreement).signed_on is None
    signed = a_signed_agreement(world, kind="data_sharing", data_shared="Tabela", data_basis="Neni 5")
    form = form_of(world, kind="data_sharing", revision=signed.revision)
    page = client_for("planning").post(url("agreement-edit", signed.pk), form)
    assert page.context["form"].errors["data_shared"] and page.context["form"].errors["data_basis"]


def test_other_terms_of_a_signed_agreement_are_a_new_wording(world, client_for):
    agreement = a_signed_agreement(world, parties=["NATC", "MOH"], subject="Bashkëpunimi")
    client, address = client_for("planning"), url("agreement-edit", agreement.pk)
    form = form_of(world, subject="Bashkëpunimi", revision=agreement.revision, title_en="Memorandum")
    assert client.post(address, form).status_code == 302  # the title may be translated
    form |= {"revision": refresh(agreement).revision}
    for changes in ({"subject": "Tjetër"}, {"party_2": institution("MOJ").pk}, {"party_1": institution("MOJ").pk}):
        page = client.post(address, form | changes)
        assert "becomes a new wording" in str(page.context["form"].errors["note"]), changes
    assert "two parties" in client.post(address, form | {"party_1": "", "note": "x"}).content.decode()
    assert not agreement.versions.exists()
    client.post(address, form | {"subject": "Tjetër", "note": "Shtojca 1 e dt. 3 mars"})
    assert refresh(agreement).subject == "Tjetër"
    assert [(one.number, one.note) for one in agreement.versions.all()] == [(1, "Shtojca 1 e dt. 3 mars")]
    assert "Shtojca 1" in client.get(agreement.get_absolute_url()).content.decode()


def test_what_is_over_does_not_change_any_more(world, client_for):
    over = a_signed_agreement(world, parties=["NATC", "MOH"], signed_on=in_days(-400), expires_on=in_days(-1))
    client = client_for("planning")
    assert url("agreement-edit", over.pk) not in client.get(over.get_absolute_url()).content.decode()
    page = client.post(
        url("agreement-edit", over.pk), form_of(world, title_sq="Tjetër", note="x", revision=over.revision)
    )
    assert "It is over" in page.content.decode() and refresh(over).title_sq != "Tjetër"
    with pytest.raises(Refused, match="It is over"):
        agreements.add_version(uuid.uuid4(), over, by=world.planning, on=in_days(0), note="x", files=())
    agreements.add_version(uuid.uuid4(), over, by=world.planning, on=in_days(-1), note="x", files=())


def test_one_party_makes_no_agreement(world):
    agreement = an_agreement(world, parties=["NATC"])
    with pytest.raises(Refused, match="two parties"):
        agreements.sign(
            agreement,
            by=world.director,
            revision=0,
            signed_on=in_days(0),
            in_force_on=None,
            expires_on=None,
            review_on=None,
        )


def test_it_ends_with_a_reason_and_once(world, client_for):
    agreement = a_signed_agreement(world, expires_on=in_days(50))
    director = client_for("director")
    form = {"ended_on": in_days(0).isoformat(), "reason": "Projekti u mbyll", "revision": str(agreement.revision)}
    late = director.post(url("agreement-end", agreement.pk), form | {"ended_on": in_days(51).isoformat()})
    assert "has ended by itself" in late.content.decode()
    assert (
        "This field is required"
        in director.post(url("agreement-end", agreement.pk), form | {"reason": ""}).content.decode()
    )
    for _ in range(2):
        assert director.post(url("agreement-end", agreement.pk), form).status_code == 302
    assert refresh(agreement).standing == "ended"
    page = client_for("planning").get(agreement.get_absolute_url()).content.decode()
    assert "Projekti u mbyll" in page
    with pytest.raises(Refused, match="ended already"):
        agreements.review_done(agreement, by=world.planning, revision=agreement.revision, review_on=in_days(9))


def test_nothing_is_reviewed_before_it_is_signed(world):
    agreement = an_agreement(world)
    with pytest.raises(Refused, match="not signed"):
        agreements.review_done(agreement, by=world.planning, revision=agreement.revision, review_on=None)


def test_a_review_that_is_done_names_the_next_one(world, client_for):
    agreement = a_signed_agreement(world, review_on=in_days(10))
    client = client_for("planning")
    assert "The review is done" in client.get(agreement.get_absolute_url()).content.decode()
    form = {"review_on": in_days(0).isoformat(), "revision": str(agreement.revision)}
    assert "on a day to come" in client.post(url("agreement-review", agreement.pk), form).content.decode()
    for _ in range(2):
        answer = client.post(url("agreement-review", agreement.pk), form | {"review_on": in_days(365).isoformat()})
        assert answer.status_code == 302
    assert refresh(agreement).review_on == in_days(365)


def test_no_review_lies_after_the_last_day(world, client_for):
    agreement = a_signed_agreement(world, review_on=in_days(2), expires_on=in_days(50))
    client = client_for("planning")
    for name in ("agreement-review", "agreement-dates"):
        form = dates(
            in_force_on=in_days(-4), expires_on=in_days(50), review_on=in_days(51), revision=str(agreement.revision)
        )
        page = client.post(url(name, agreement.pk), form)
        assert page.status_code == 200 and "last day" in str(page.context["form"].errors["review_on"])
    with pytest.raises(Refused, match="last day"):
        agreements.review_done(agreement, by=world.planning, revision=agreement.revision, review_on=in_days(51))
    with pytest.raises(IntegrityError, match="agreement_review_before_it_ends"), transaction.atomic():
        Agreement.objects.filter(pk=agreement.pk).update(review_on=in_days(51))
    agreements.review_done(agreement, by=world.planning, revision=agreement.revision, review_on=in_days(50))
    assert refresh(agreement).review_on == in_days(50)


def test_a_renewal_takes_over_what_stands_and_the_old_one_says_so(world, client_for):
    old = a_signed_agreement(world, expires_on=in_days(20), parties=["NATC", "MOH"])
    client = client_for("planning")
    page = client.get(url("agreement-renew", old.pk)).content.decode()
    assert old.title_sq in page and f'value="{institution("MOH").pk}" selected' in page
    client.post(url("agreement-renew", old.pk), form_of(world, title_sq="E re"))
    new = Agreement.objects.get(renews=old)
    assert "A renewal is being prepared" in client.get(old.get_absolute_url()).content.decode()
    second = client.post(url("agreement-renew", old.pk), form_of(world))
    assert "is there already" in second.content.decode()
    agreements.sign(
        new,
        by=world.director,
        revision=0,
        signed_on=in_days(0),
        in_force_on=in_days(21),
        expires_on=None,
        review_on=None,
    )
    page = client.get(old.get_absolute_url()).content.decode()
    assert "It was renewed by" in page and "pill-renewed" in page
    assert Agreement.objects.with_state().get(pk=old.pk).is_renewed
    assert not Agreement.objects.lapsing(180).filter(pk=old.pk).exists()
    with pytest.raises(Refused, match="needs no renewal"):
        an_agreement(world, renews=an_agreement(world))


@pytest.mark.django_db(transaction=True)
def test_of_two_who_renew_or_sign_at_once_one_is_told(world):
    old, draft = a_signed_agreement(world), an_agreement(world)
    ready, outcomes = threading.Barrier(2), []

    def press(name: str, day: date) -> None:
        try:
            ready.wait(10)
            for act in (
                lambda: an_agreement(world, renews=old),
                lambda: agreements.sign(
                    draft,
                    by=getattr(world, name),
                    revision=0,
                    signed_on=day,
                    in_force_on=None,
                    expires_on=None,
                    review_on=None,
                ),
            ):
                try:
                    act()
                    outcomes.append("done")
                except Refused:
                    outcomes.append("told")
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=press, args=(name, in_days(-days))) for days, name in enumerate(("director", "natc"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    connection.close()
    assert sorted(outcomes) == ["done", "done", "told", "told"]


# Wordings, annexes, files


def test_wordings_are_numbered_and_a_form_sent_twice_adds_one(world, client_for):
    agreement, client = a_signed_agreement(world), client_for("information")

    def form(key):
        upload = SimpleUploadedFile("teksti.pdf", document())
        return {"key": str(key), "on": in_days(-1).isoformat(), "note": "Neni 5 u ndryshua", "attachments": upload}

    first = uuid.uuid4()
    for key in (first, first, uuid.uuid4()):
        assert client.post(url("agreement-version-create", agreement.pk), form(key)).status_code == 302
    assert [one.number for one in agreement.versions.all()] == [2, 1]
    exe = form(uuid.uuid4()) | {"attachments": SimpleUploadedFile("teksti.pdf", b"MZ not a document")}
    assert "teksti.pdf" in client.post(url("agreement-version-create", agreement.pk), exe).content.decode()
    assert agreement.versions.count() == 2


def test_annexes_follow_the_rights_of_their_agreement(world, client_for):
    agreement, client = an_agreement(world, parties=["NATC", "MOH"]), client_for("planning")
    for _ in range(2):
        form = {
            "key": "0d3f5b0a-6a39-4a4b-9c58-1f6f5a6a0001",
            "title": "Shtojca 1",
            "attachments": SimpleUploadedFile("a.csv", b"a,b\n"),
        }
        client.post(url("agreement-annex-create", agreement.pk), form)
    file = AgreementFile.objects.get()
    assert file.is_annex and client.get(file.get_absolute_url()).status_code == 200
    party, stranger = client_for("other_focal_point"), client_for("focal_point")
    assert party.get(file.get_absolute_url()).status_code == 404  # not signed yet
    agreements.sign(
        agreement,
        by=world.director,
        revision=0,
        signed_on=in_days(0),
        in_force_on=None,
        expires_on=None,
        review_on=None,
    )
    assert party.get(file.get_absolute_url()).status_code == 200
    assert stranger.get(file.get_absolute_url()).status_code == 404
    assert party.post(url("agreement-file-remove", file.pk)).status_code == 403
    assert client.post(url("agreement-file-remove", file.pk)).status_code == 302
    assert not AgreementFile.objects.exists()


def test_the_text_of_a_signed_agreement_stays(world):
    agreement = a_signed_agreement(world)
    upload = SimpleUploadedFile("x.csv", b"a,b\n")
    upload.checked_type = "text/csv"
    agreements.add_version(uuid.uuid4(), agreement, by=world.planning, on=in_days(0), note="x", files=[upload])
    with pytest.raises(Refused, match="stays"):
        agreements.remove_file(AgreementFile.objects.get(), by=world.planning)


# Who sees what


def test_a_party_sees_its_own_once_signed_and_others_see_nothing(world, client_for):
    draft = an_agreement(world, title_sq="Drafti", parties=["NATC", "MOH"])
    signed = a_signed_agreement(world, title_sq="Nënshkruar", parties=["NATC", "MOH"])
    party = client_for("other_focal_point")
    page = party.get(url("agreement-list")).content.decode()
    assert signed.get_absolute_url() in page and draft.get_absolute_url() not in page
    assert party.get(draft.get_absolute_url()).status_code == 404
    text = party.get(signed.get_absolute_url()).content.decode()
    assert "History" not in text and "Add an obligation" not in text
    for name in ("focal_point", "observer"):
        client = client_for(name)
        assert client.get(signed.get_absolute_url()).status_code == 404
        assert signed.get_absolute_url() not in client.get(url("agreement-list")).content.decode()
        assert client.get(url("agreement-matrix")).status_code == 403
    assert client_for("administrator").get(url("agreement-list")).status_code == 403
    assert client_for("administrator").get(signed.get_absolute_url()).status_code == 404
    natc = client_for("natc")
    assert natc.get(draft.get_absolute_url()).status_code == 200
    assert natc.post(url("agreement-edit", draft.pk), form_of(world, revision=0)).status_code == 403


def test_they_stand_on_the_pages_of_institutions_and_countries(world, client_for):
    signed = a_signed_agreement(world, parties=["NATC", "MOH"], country=Country.objects.get(pk="AL"))
    address = institution("MOH").get_absolute_url()
    assert signed.get_absolute_url() in client_for("planning").get(address).content.decode()
    assert signed.get_absolute_url() in client_for("other_focal_point").get(address).content.decode()
    assert signed.get_absolute_url() not in client_for("focal_point").get(address).content.decode()
    assert [one.pk for one in queries.of_country(Country.objects.get(pk="AL"), world.planning)] == [signed.pk]
    assert queries.of_country(Country.objects.get(pk="AL"), world.focal_point) == []


def test_whoever_leaves_hands_them_over(world):
    open_one = an_agreement(world)
    over = a_signed_agreement(world, expires_on=in_days(-1))
    held = {kind.key: records for kind, records in ownership.held_by(world.planning)}
    assert open_one in held["agreement"] and over not in held["agreement"]


# Lists, matrix, files


def test_the_register_filters_in_the_address(world, client_for):
    soon = a_signed_agreement(world, title_sq="Shpejt", expires_on=in_days(30), parties=["NATC", "MOH"])
    later = a_signed_agreement(
        world, title_sq="Vonë", expires_on=in_days(91), kind="protocol", country=Country.objects.get(pk="AL")
    )
    draft = an_agreement(world, title_sq="Drafti")
    client = client_for("planning")

    def found(query: str) -> set:
        page = client.get(url("agreement-list") + query).content.decode()
        return {one for one in (soon, later, draft) if one.get_absolute_url() in page}

    assert found("") == {soon, later, draft}
    assert found("?ends=30") == {soon} and found("?ends=90") == {soon} and found("?ends=180") == {soon, later}
    assert found("?state=prepared") == {draft} and found("?state=in_force") == {soon, later}
    assert found("?kind=protocol") == {later} and found("?country=AL") == {later}
    assert found(f"?institution={institution('MOH').pk}&q=shpejt") == {soon}
    assert found("?ends=x&kind=%00&institution=y&page=z&sort=%00") == {soon, later, draft}
    saved = client.get(url("agreement-export") + "?ends=30&format=csv")
    rows = b"".join(saved.streaming_content).decode("utf-8-sig").splitlines()
    assert len(rows) == 2 and "Shpejt" in rows[1]


@pytest.mark.parametrize("name", ["agreement-list", "agreement-matrix", "obligation-list"])
def test_the_lists_cost_the_same_however_long_they_are(world, client_for, name):
    client = client_for("planning")

    def queries_of() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url(name) + "?by=agreement").status_code == 200
        return len(captured)

    for _ in range(2):
        an_obligation(world, a_signed_agreement(world))
    client.get(url(name))
    few = queries_of()
    for code in ("MOH", "MOJ", "KP", "MIA", "SPO"):
        an_obligation(world, a_signed_agreement(world, parties=["NATC", code], expires_on=in_days(20)), owes=code)
    assert queries_of() == few <= 14


def test_the_matrix_shows_its_holes_and_leads_from_them_to_a_new_agreement(world, client_for):
    a_signed_agreement(world, parties=["NATC", "MOH"], expires_on=in_days(90))
    a_signed_agreement(world, parties=["NATC", "MOJ"], expires_on=in_days(91))
    a_signed_agreement(world, parties=["NATC", "KP"], signed_on=in_days(-400), expires_on=in_days(-1))
    an_agreement(world, parties=["NATC", "SPO"])
    renewed = a_signed_agreement(world, parties=["NATC", "LI"], expires_on=in_days(5))
    a_signed_agreement(world, parties=["NATC", "LI"], renews=renewed, in_force_on=in_days(6))
    matrix = queries.matrix(world.planning)
    cells = {row.institution.code: row.cells for row in matrix.rows}
    wanted = {
        "MOH": "ends_soon",
        "MOJ": "in_force",
        "KP": "expired",
        "SPO": "prepared",
        "LI": "in_force",
        "MIA": "hole",
    }
    assert {code: cells[code][0].standing for code in wanted} == wanted
    assert all(cells[code][2].is_hole for code in wanted) and "NATC" not in cells
    assert cells["LI"][0].number == 2 and str(institution("LI").pk) in cells["LI"][0].url
    client = client_for("planning")
    page = client.get(url("agreement-matrix")).content.decode()
    hole = cells["MIA"][2].url
    assert hole.replace("&", "&amp;") in page
    form = client.get(hole).content.decode()
    assert f'value="{institution("MIA").pk}" selected' in form and 'value="data_sharing" selected' in form
    by_agreement = queries.matrix(world.planning, by_agreement=True)
    assert len(by_agreement.columns) == 3
    assert sum(not cell.is_hole for row in by_agreement.rows for cell in row.cells) == 3
    assert client.get(url("agreement-matrix") + "?by=agreement&kind=ministry&level=national").status_code == 200
    assert client.get(url("agreement-matrix") + "?by=x&kind=y&level=%00").status_code == 200
    saved = b"".join(client.get(url("agreement-matrix-export") + "?kind=ministry").streaming_content).decode(
        "utf-8-sig"
    )
    assert "ends soon" in saved and "none" in saved


# Evidence, indicators, calendar


def test_a_party_that_was_dissolved_stays_in_sight_while_it_is_bound(world, client_for):
    moh = institution("MOH")
    moh.former_names.create(name_sq="Emri i vjetër", short="EV", valid_to=in_days(-50))
    bound = a_signed_agreement(world, parties=["NATC", "MOH"], signed_on=in_days(-100), expires_on=in_days(90))
    an_obligation(world, bound, owes="MOH", text="Raporti vjetor")
    over = a_signed_agreement(world, parties=["NATC", "MOJ"], signed_on=in_days(-400), expires_on=in_days(-1))
    for one in (moh, institution("MOJ")):
        one.dissolved_on, one.successor = in_days(-2), institution("MIA")
        one.save()
    held = a_meeting(world.director, -30)
    point = a_point(held, world.director, owner="MOH")
    client = client_for("planning")
    page = client.get(bound.get_absolute_url()).content.decode()
    assert "Emri i vjetër" in page and "dissolved on" in page and institution("MIA").get_absolute_url() in page
    page = client.get(moh.get_absolute_url()).content.decode()
    assert "To be moved" in page and "Raporti vjetor" in page and point.get_absolute_url() in page
    assert f'{bound.get_absolute_url()}">' in page.partition("To be moved")[2].partition("</section>")[0]
    page = client.get(institution("MOJ").get_absolute_url()).content.decode()
    assert "Agreements in force name it" not in page and over.get_absolute_url() in page
    codes = {row.institution.code for row in queries.matrix(world.planning).rows}
    assert "MOH" in codes and "MOJ" not in codes


def test_signed_agreements_can_stand_as_evidence(world):
    an_agreement(world, title_sq="Drafti")
    signed = a_signed_agreement(world, title_sq="Dëshmia", parties=["NATC", "MOH"])
    assert [one.record for one in evidence.found_records(world.planning, kind="agreement")] == [signed]
    assert [one.record for one in evidence.found_records(world.other_focal_point, "deshmia", kind="agreement")] == [
        signed
    ]
    assert evidence.found_records(world.focal_point, kind="agreement") == []


def test_the_indicators_by_hand(world):
    year = timezone.localdate().year - 1
    period = Period.parse(f"{year}Q2")
    last = date(year, 6, 30)
    early = {"signed_on": date(year, 1, 10), "in_force_on": date(year, 2, 1)}
    a_signed_agreement(world, parties=["NATC", "MOH"], expires_on=last, **early)  # holds on its last day
    a_signed_agreement(world, parties=["NATC", "MOH", "IOM"], **early)
    a_signed_agreement(world, parties=["NATC", "MOJ"], expires_on=last - timedelta(days=1), **early)  # over
    a_signed_agreement(world, parties=["NATC", "MIA"], signed_on=last, in_force_on=last + timedelta(days=1))  # not yet
    ended = a_signed_agreement(world, parties=["NATC", "SPO"], **early)
    agreements.end(
        ended, by=world.director, revision=ended.revision, ended_on=last, reason="x"
    )  # no more from that day
    assert computed.figure_of("agreements-in-force", world.plan, period).value == 2
    share = computed.figure_of("members-with-agreement", world.plan, period)
    members = Institution.objects.filter(is_authority_member=True).exclude(code__in=["NATC", "ONATC"])
    there = [one for one in members if one.dissolved_on is None or one.dissolved_on >= last]
    assert (share.numerator, share.denominator) == (1, len(there)) and len(there) > 10


@pytest.mark.usefixtures("due_days_stay")
def test_days_of_agreements_stand_in_the_calendar_of_whoever_sees_them(world):
    signed = a_signed_agreement(world, parties=["NATC", "MOH"], expires_on=in_days(20), review_on=in_days(10))
    an_obligation(world, signed, owes="MOH", first_due_on=in_days(15))

    def days(user):
        found = [entry for one in calendar.known() for entry in one.entries(user, in_days(0), in_days(30))]
        return sorted(entry.starts_on for entry in found if entry.key.startswith(("agreement", "obligation")))

    assert days(world.other_focal_point) == [in_days(10), in_days(15), in_days(20)]  # each once, whoever tells it
    assert days(world.focal_point) == []
    an_agreement(world, title_sq="Drafti", parties=["NATC", "MOH"], review_on=in_days(12))
    assert len(days(world.other_focal_point)) == 3  # what nobody has signed yet ends nothing
    assert AgreementParty.objects.filter(agreement=signed).count() == 2
