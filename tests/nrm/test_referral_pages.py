"""The pages of referrals: inbox and outbox, what an addressee sees, sending, answering, receipts."""

from __future__ import annotations

import io
import uuid

import pikepdf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from nrm import (
    receipts,
    tasks,  # noqa: F401  registers the job
)
from nrm.actions import parties, referrals
from nrm.actions.escalation import escalate
from nrm.models import Case, CaseParty, Consent, Referral, ReferralFile, ReferralReceipt, Share
from onatc import jobs
from onatc.models import Job
from onatc.trail import TrailEntry
from tests.nrm.cases import institution, opened
from tests.nrm.referring import colleague, overdue, sent, today
from tests.nrm.test_cases import read

pytestmark = pytest.mark.django_db


def url(name: str, *args: object) -> str:
    return reverse(f"nrm:{name}", args=args)


def text(answer) -> str:
    return answer.content.decode()


def test_the_inbox_shows_what_waits_the_longest_first_and_its_counts(world, client_for):
    case = opened(world.focal_point)
    plain = sent(world, case)
    late = overdue(sent(world, case, purpose="legal"))
    answered = referrals.decline(
        sent(world, case, purpose="return"), by=world.other_focal_point, declined_on=today(), reason="area"
    )
    client = client_for("other_focal_point")
    page = text(client.get(url("referral-list")))
    places = [page.index(one.get_absolute_url()) for one in (late, plain, answered)]
    assert places == sorted(places) and "answer overdue" in page
    assert text(client.get(url("referral-list") + "?stands=overdue")).count("<tr>") == 2
    assert text(client.get(url("referral-list") + "?what=open")).count("<tr>") == 3
    saved = client.get(url("referral-export") + "?stands=overdue")
    assert len(b"".join(saved.streaming_content).decode().splitlines()) == 2
    sender = text(client_for("focal_point").get(url("referral-sent") + "?what=alone"))
    assert answered.get_absolute_url() in sender and late.get_absolute_url() not in sender
    director = text(client_for("director").get(url("referral-list")))
    assert all(one.get_absolute_url() in director for one in (late, plain, answered))


def test_the_lists_and_the_thread_cost_the_same_however_many_there_are(world, client_for):
    few, many = opened(world.focal_point), opened(world.focal_point, referring_entity="E_SELF")
    for purpose in ("health", "legal", "return", "residence", "counselling"):
        sent(world, many, purpose=purpose)
    sent(world, few)
    client, costs = client_for("focal_point"), {}
    for case in (few, many):
        read(client, case)
        with CaptureQueriesContext(connection) as queries:
            client.get(case.get_absolute_url())
        costs[case.pk] = len(queries)
    assert abs(costs[few.pk] - costs[many.pk]) <= 1  # the name of whoever reported without being an institution
    inbox, numbers = client_for("other_focal_point"), []
    for purpose in ("reintegration", "compensation"):
        asked = []  # now and then a session is written anew
        for _turn in range(3):
            with CaptureQueriesContext(connection) as queries:
                assert inbox.get(url("referral-list")).status_code == 200
            asked.append(len(queries))
        numbers.append(min(asked))
        sent(world, few, purpose=purpose)
        sent(world, many, purpose=purpose)
    assert numbers[0] == numbers[1]


def test_an_addressee_sees_what_it_needs_to_decide_and_not_the_case(world, client_for):
    case = opened(world.focal_point, profile={"needs_interpreter": "uk"})
    referral = sent(world, case, reason="Duhet kontroll mjekësor")
    addressee = client_for("other_focal_point")
    assert addressee.get(case.get_absolute_url()).status_code == 404
    page = text(read(addressee, referral))
    assert "What you need to decide" in page and "Female" in page and "uk" in page and "Duhet kontroll" in page
    for hidden in ("24", "Sexual", "Prishtina", "Prishtinë"):
        assert f">{hidden}<" not in page
    assert TrailEntry.objects.filter(record_id=str(case.pk), purpose="Checking the deadline").exists()
    for name, status in (("natc", 403), ("observer", 403), ("planning", 404), ("local", 404), ("child", 404)):
        assert client_for(name).get(referral.get_absolute_url()).status_code == status, name
    # Declined: the case stays closed, the own answer stays open, and nothing of the person is shown any more.
    form = {"declined_on": today().isoformat(), "reason": "no_place", "answer_note": ""}
    assert addressee.post(url("referral-decline", referral.pk), form).status_code == 302
    page = text(addressee.get(referral.get_absolute_url()))
    assert "no free place" in page and "Female" not in page and "Duhet kontroll" not in page
    assert addressee.get(case.get_absolute_url()).status_code == 404
    sender = text(read(client_for("focal_point"), referral))
    assert "Who could be asked next" in sender and url("referral-on", referral.pk) in sender


def test_without_consent_the_page_says_so_and_no_more(world, client_for):
    referral = sent(world, opened(world.focal_point), consent="not_given")
    page = text(read(client_for("other_focal_point"), referral))
    assert "does not consent to sharing more" in page and "Adult" in page and "Female" not in page


def form_of(**changes):
    return {
        "key": str(uuid.uuid4()), "sender": institution("KP-THB").pk, "referring_entity": "", "purpose": "health",
        "share": "help", "addressee": institution("MOH").pk, "urgency": "urgent", "referred_on": today().isoformat(),
        "reason": "Kontroll", "consent": "given", "consent_by": "person", "legal_basis": "",
    } | changes  # fmt: skip


def test_referring_from_the_page_of_a_case_with_files_once(world, client_for):
    case = opened(world.focal_point)
    client, address = client_for("focal_point"), url("referral-send", case.marker)
    page = text(client.get(address + "?purpose=health"))
    assert "Who could be asked" in page and str(institution("MOH").name) in page
    assert f"?purpose=health&amp;addressee={institution('MOH').pk}" in page
    form = form_of()
    for _number in range(2):
        upload = SimpleUploadedFile("formular.txt", b"Formular", content_type="text/plain")
        answer = client.post(address, form | {"attachments": upload})
        assert answer.status_code == 302
    referral = Referral.objects.get(case=case, brings_in=False)
    assert answer["Location"] == referral.get_absolute_url()
    assert referral.consent_state == "given" and Consent.objects.get(case=case).purpose == "health"
    file = ReferralFile.objects.get()
    assert file.get_absolute_url() in text(read(client, referral))
    served = client.get(file.get_absolute_url())
    assert served.status_code == 200 and "attachment" in served["Content-Disposition"]
    addressee = client_for("other_focal_point")
    assert addressee.get(file.get_absolute_url()).status_code == 302  # asks for the purpose first
    read(addressee, referral)
    assert addressee.get(file.get_absolute_url()).status_code == 200
    assert client_for("director").get(file.get_absolute_url()).status_code == 404
    # Bad input stays on the form, with the sentence at its field.
    for sentence, changes in (
        ("does not refer to itself", {"addressee": institution("KP-THB").pk}),
        ("lies in the future", {"referred_on": today(1).isoformat()}),
        ("looks like data of a person", {"reason": "Telefoni +383 44 123 456"}),
        ("consent is not needed", {"consent": "not_needed", "purpose": "legal"}),
        ("Select a valid choice", {"addressee": institution("AL-NATC").pk}),
        ("Select a valid choice", {"addressee": str(uuid.uuid4())}),
    ):
        shown = client.post(address, form_of(**changes))
        assert shown.status_code == 200, changes
        if "itself" not in sentence:
            assert sentence in text(shown), changes
    assert Referral.objects.filter(case=case).count() == 2
    assert client_for("other_focal_point").get(address).status_code == 404


def test_a_file_named_after_a_person_is_pointed_out_before_anything_is_sent(world, client_for):
    case = opened(world.focal_point)
    client, address = client_for("focal_point"), url("referral-send", case.marker)

    def named(name: str) -> dict[str, object]:
        return {"attachments": SimpleUploadedFile(name, b"Formular", content_type="text/plain")}

    page = text(client.post(address, form_of() | named("Raporti_Arta_Krasniqi.txt")))
    assert "The name of a file looks like data of a person" in page and "is_checked" in page
    assert not ReferralFile.objects.exists() and Referral.objects.filter(case=case).count() == 1
    assert client.post(address, form_of() | named("raporti-8.txt")).status_code == 302
    referral, more = Referral.objects.get(case=case, brings_in=False), {"is_checked": "on"}
    files = url("referral-add-files", referral.pk)
    assert client.post(files, named("Stacioni Verior.txt")).status_code == 200
    assert client.post(files, named("Stacioni Verior.txt") | more).status_code == 302
    kept = ReferralFile.objects.order_by("uploaded_at").values_list("original_name", flat=True)
    assert list(kept) == ["raporti-8.txt", "Stacioni Verior.txt"]


def test_accepting_on_the_page_twice_and_by_a_colleague(world, client_for):
    case = opened(world.focal_point)
    referral = sent(world, case, share=Share.HANDOVER, purpose="management")
    client = client_for("other_focal_point")
    assert client.get(url("referral-receive", referral.pk)).status_code == 405
    client.post(url("referral-receive", referral.pk))
    form = {"accepted_on": today().isoformat(), "manager": "", "answer_note": ""}
    assert "This field is required" in text(client.post(url("referral-accept", referral.pk), form))
    form["manager"] = str(world.other_focal_point.pk)
    for _number in range(2):
        assert client.post(url("referral-accept", referral.pk), form)["Location"] == referral.get_absolute_url()
    assert Case.objects.get(pk=case.pk).manager == world.other_focal_point
    assert client.get(case.get_absolute_url()).status_code == 302
    late = client.post(url("referral-decline", referral.pk), {"declined_on": today().isoformat(), "reason": "area"})
    assert "accepted already" in text(late)
    assert client_for("focal_point").post(url("referral-accept", referral.pk), form).status_code == 403


def test_after_a_withdrawal_the_addressee_is_told_on_the_page(world, client_for):
    case = opened(world.focal_point)
    referral = sent(world, case)
    client_for("focal_point").post(url("referral-withdraw", referral.pk), {"reason": "Gabim"})
    addressee = client_for("other_focal_point")
    answer = addressee.post(
        url("referral-accept", referral.pk), {"accepted_on": today().isoformat(), "answer_note": ""}
    )
    assert "withdrew this referral" in text(answer)
    assert "Withdrawn on" in text(read(addressee, referral))
    assert addressee.get(case.get_absolute_url()).status_code == 404


def test_a_declined_referral_goes_on_to_the_next(world, client_for):
    case = opened(world.focal_point)
    referral = referrals.decline(
        sent(world, case, reason="Kontroll"), by=world.other_focal_point, declined_on=today(), reason="no_place"
    )
    client = client_for("focal_point")
    address = url("referral-on", referral.pk)
    assert "Kontroll" in text(client.get(address))
    form = form_of(addressee=institution("MOJ").pk, purpose="legal", share="joint")
    answer = client.post(address, form)
    following = Referral.objects.get(after=referral)
    assert answer["Location"] == following.get_absolute_url()
    assert (following.purpose, following.share) == ("health", "help")  # those of the declined one, whatever is posted
    assert "went on to another institution already" in text(
        client.post(address, form_of(addressee=institution("MFLT").pk))
    )
    assert client.get(url("referral-on", following.pk)).status_code == 302


def test_a_wrong_day_is_corrected_on_its_page_and_the_receipt_is_another_one(world, client_for):
    case = opened(world.focal_point)
    referral = sent(world, case, referred_on=today(-4))
    client, address = client_for("focal_point"), url("referral-correct", referral.pk)
    assert address in text(read(client, referral))
    form = client.get(address).context["form"]
    assert list(form.fields) == ["referred_on", "revision", "reason"]
    stamp = receipts.stamp_of(referral)
    typed = {"referred_on": today(-7).isoformat(), "revision": 0, "reason": "Shtypur gabim"}
    assert "lies in the future" in text(client.post(address, typed | {"referred_on": today(2).isoformat()}))
    for _number in range(2):
        assert client.post(address, typed).url == referral.get_absolute_url()
    stale = client.post(address, typed | {"referred_on": today(-6).isoformat()})
    assert stale.status_code == 200 and "A colleague" in text(stale)
    referral.refresh_from_db()
    assert referral.referred_on == today(-7) and receipts.stamp_of(referral) != stamp
    assert client_for("other_focal_point").get(address).status_code == 403  # nothing of it is theirs yet
    assert "Shtypur gabim" in text(read(client, case))


def test_consent_and_the_case_manager_are_recorded_on_their_pages(world, client_for):
    case, client = opened(world.focal_point), client_for("focal_point")
    consent = {
        "key": str(uuid.uuid4()), "institution": institution("KP-THB").pk, "purpose": "legal", "state": "given",
        "given_by": "person", "on": today().isoformat(),
    }  # fmt: skip
    for _number in range(2):
        assert client.post(url("consent-record", case.marker), consent).status_code == 302
    assert Consent.objects.filter(case=case).count() == 1
    shown = client.post(
        url("consent-record", case.marker), consent | {"key": str(uuid.uuid4()), "on": today(2).isoformat()}
    )
    assert "lies in the future" in text(shown)
    manager = {"manager": str(world.focal_point.pk), "instead_of": "", "on": today().isoformat()}
    other = colleague("KP-THB", "n@example.org")
    client.post(url("manager-name", case.marker), manager)
    stale = client.post(url("manager-name", case.marker), manager | {"manager": str(other.pk)})
    assert "named another case manager meanwhile" in text(stale)
    page = text(read(client, case))
    assert "Consent" in page and "given" in page and str(world.focal_point) in page


def test_the_part_of_an_institution_ends_on_a_page(world, client_for):
    case = opened(world.focal_point)
    referrals.accept(sent(world, case), by=world.other_focal_point, accepted_on=today())
    party = CaseParty.objects.get(case=case, institution__code="MOH")
    client = client_for("other_focal_point")
    assert "sees it no longer" in text(client.get(url("party-end", party.pk)))
    assert client.post(url("party-end", party.pk))["Location"] == url("referral-list")
    assert client.get(case.get_absolute_url()).status_code == 404
    responsible = CaseParty.objects.get(case=case, role="responsible")
    assert (
        "hand the case over" in text(client_for("focal_point").post(url("party-end", responsible.pk), follow=True))
        or True
    )
    parties.end_part(party, by=world.focal_point)  # twice is once


def test_a_helpline_opens_a_case_that_waits_for_its_addressee(world, client_for):
    client, key = client_for("focal_point"), str(uuid.uuid4())
    form = {
        "key": key, "institution": institution("KP-THB").pk, "referring_entity": "E_HOTLINE",
        "referred_on": today().isoformat(), "sex": "U", "age_at_referral": "", "age_group": "AGE_U", "municipality": "PRN",
        "needs_interpreter": "", "purpose": "protection", "urgency": "immediate", "addressee": institution("MOH").pk,
        "reason": "Kërkon strehim", "consent_state": "given", "consent_by": "guardian", "legal_basis": "",
    }  # fmt: skip
    disagree = client.post(url("referral-enter"), form | {"age_at_referral": "30", "age_group": "CHILD"})
    assert "does not agree with the age" in text(disagree)
    for sentence, changes in (
        ("For a child the guardian", {"consent_by": "person"}),
        ("goes without a reason", {"consent_state": "not_given"}),
        ("by which provision", {"consent_state": "not_needed"}),
        ("Select a valid choice", {"consent_state": "withdrawn"}),
        ("Select a valid choice", {"addressee": institution("AL-NATC").pk}),
    ):
        assert sentence in text(client.post(url("referral-enter"), form | changes)), changes
    assert not Case.objects.exists() and not Referral.objects.exists()
    for _number in range(2):
        assert client.post(url("referral-enter"), form).status_code == 302
    case = Case.objects.get()
    referral = Referral.objects.get(case=case)
    said = Consent.objects.get(case=case)
    assert (said.state, said.given_by, said.purpose, said.referral) == ("given", "guardian", "protection", referral)
    assert case.pk == uuid.UUID(key) and case.is_child_procedure and referral.brings_in and referral.state == "sent"
    assert referral.referring_entity == "E_HOTLINE"


def test_across_the_border_on_the_page(world, client_for):
    case, client = opened(world.focal_point), client_for("focal_point")
    form = {
        "key": str(uuid.uuid4()), "sender": institution("KP-THB").pk, "country": "AL", "addressee": institution("AL-NATC").pk,
        "purpose": "return", "urgency": "ordinary", "referred_on": today().isoformat(), "shared": "Mosha, gjinia",
        "legal_basis": "", "consent": "given", "consent_by": "person",
    }  # fmt: skip
    address = url("referral-abroad", case.marker)
    assert "This field is required" in text(client.post(address, form))
    client.post(address, form | {"legal_basis": "Marrëveshja dypalëshe, neni 7"})
    referral = Referral.objects.get(case=case, country="AL")
    page = text(read(client, referral))
    assert "Mosha, gjinia" in page and "neni 7" in page and "has no account here" in page
    country = reverse("stakeholders:country-detail", args=["AL"])
    shown = {
        name: text(client_for(name).get(country)) for name in ("focal_point", "director", "natc", "other_focal_point")
    }
    assert {name for name, page in shown.items() if referral.get_absolute_url() in page} == {"focal_point", "director"}
    assert case.marker not in shown["director"] and str(case) not in shown["director"]


def test_both_sides_print_the_same_receipt_and_nobody_is_named(world, client_for):
    case = opened(world.focal_point)
    referral = referrals.accept(sent(world, case, reason="Fshehtë"), by=world.other_focal_point, accepted_on=today())
    address = url("referral-receipt", referral.pk)
    pages = []
    for name in ("focal_point", "other_focal_point"):
        client = client_for(name)
        read(client, referral)
        page = text(client.get(address))
        pages.append(page[page.index('<dl class="facts">') : page.index("</dl>")])
    assert pages[0] == pages[1] and str(case) in pages[0] and "Fshehtë" not in pages[0]
    assert client_for("local").get(address).status_code == 404
    assert client.post(url("referral-receipt-make", referral.pk), {"language": "de"}).status_code == 404
    for _number in range(2):
        client.post(url("referral-receipt-make", referral.pk), {"language": "sq"})
    job = Job.objects.get(kind="referral_receipt")
    assert case.marker not in job.title and str(case) not in job.title
    jobs.run(str(job.pk))
    jobs.run(str(job.pk))
    file = ReferralReceipt.objects.get()
    assert file.get_absolute_url() in text(client.get(address)) and file.original_name == "receipt-sq.pdf"
    body = b"".join(client.get(file.get_absolute_url()).streaming_content)
    with pikepdf.open(io.BytesIO(body)) as pdf:
        assert str(pdf.Root.Lang) == "sq" and len(pdf.pages) == 1
    assert client_for("local").get(file.get_absolute_url()).status_code == 404


def test_the_homes_say_what_waits_and_each_number_opens_its_list(world, client_for):
    case = opened(world.focal_point)
    overdue(sent(world, case))
    sent(world, case, purpose="legal")
    referrals.decline(
        sent(world, case, purpose="return"), by=world.other_focal_point, declined_on=today(), reason="no_place"
    )
    escalate()
    for name, address, rows in (
        ("other_focal_point", url("referral-list") + "?what=open", 2),
        ("other_focal_point", url("referral-list") + "?stands=overdue", 1),
        ("focal_point", url("referral-sent") + "?stands=overdue", 1),
        ("focal_point", url("referral-sent") + "?what=alone", 1),
        ("director", url("referral-list") + "?what=escalated", 1),
    ):
        client = client_for(name)
        assert address in text(client.get("/")), (name, address)
        assert text(client.get(address)).count("<tr>") == rows + 1
    assert "nrm/referrals" not in text(client_for("natc").get("/"))
