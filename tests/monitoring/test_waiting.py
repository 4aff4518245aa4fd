"""What of cooperation stands on the homes: the numbers counted by hand, each with its list, at the same price for many."""

from __future__ import annotations

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from monitoring.queries import waiting
from nrm.actions import accreditation, services
from nrm.models import TrainingFollowUp
from stakeholders.models import (
    Agreement,
    Circular,
    CircularRecipient,
    Contact,
    Enquiry,
    Question,
    QuestionAssignment,
    Questionnaire,
    User,
)
from tests.nrm.served import a_service, an_accreditation, an_inspection
from tests.nrm.trainings import a_session, registered
from tests.nrm.trainings import person as trainee
from tests.stakeholders.gathered import (
    a_body,
    a_decision,
    a_meeting,
    a_point,
    a_series,
    an_attendee,
    an_item,
    day,
    done,
    institution,
)

pytestmark = pytest.mark.django_db


def an_enquiry(number: int, state: str, due: int = 5, **values) -> Enquiry:
    fields = {"way": "email", "sender_kind": "press", "subject": "S", "question": "Q", "year": 2026}
    return Enquiry.objects.create(
        number=number, state=state, received_on=day(-30), due_on=day(due), **(fields | values)
    )


def an_agreement(by: User, *, expires: int, signed: int = -900, **values) -> Agreement:
    return Agreement.objects.create(
        kind="memorandum", title_sq="M", responsible=by, signed_on=day(signed), in_force_on=day(signed),
        expires_on=day(expires), **values,
    )  # fmt: skip


def a_circular(by: User, *to: User, confirmed: bool = False, **values) -> Circular:
    fields = {"title_sq": "Qarkorja e dhjetorit", "state": "sent", "sent_at": timezone.now(), "sent_by": by}
    circular = Circular.objects.create(created_by=by, **(fields | values))
    for person in to:
        contact, _made = Contact.objects.get_or_create(user=person, defaults={"full_name": person.full_name})
        CircularRecipient.objects.create(
            circular=circular, contact=contact, language="sq", mailed_at=timezone.now(),
            confirmed_at=timezone.now() if confirmed else None,
        )  # fmt: skip
    return circular


def put_questions(by: User, count: int, code: str = "KP-THB", state: str = "asked", title: str = "GRETA") -> None:
    form = Questionnaire.objects.create(
        title=title, asked_by=institution("OSCE"), received_on=day(-3), due_on=day(9), responsible=by
    )
    for position in range(count):
        question = Question.objects.create(questionnaire=form, position=position, text="How many?")
        QuestionAssignment.objects.create(
            question=question, institution=institution(code), due_on=day(9), state=state,
            answer="Tri." if state in ("answered", "accepted") else "",
        )  # fmt: skip


@pytest.fixture
def some(world):
    """A little of everything, some of which waits for nobody."""
    by, mine, other = world.director, world.focal_point, world.other_focal_point
    held = a_meeting(by, -9)
    a_point(held, by, due=-2)
    a_point(held, by, due=-2, owner="MOH")
    a_point(held, by, due=9)
    a_point(held, by, due=9, owner="MOH", person=other)
    done(a_point(held, by, due=-2), by, -1)
    for number, (state, due) in enumerate([("received", -1), ("assigned", 3), ("drafted", 0)], start=1):
        an_enquiry(number, state, due)
    an_enquiry(4, "closed", -1, close_reason="Spam")
    an_agreement(by, expires=90)
    an_agreement(by, expires=0)
    an_agreement(by, expires=91, review_on=day(30))
    an_agreement(by, expires=-1)
    renewed = an_agreement(by, expires=30)
    an_agreement(by, expires=900, signed=-5, renews=renewed)
    an_agreement(by, expires=40, ended_on=day(-1), end_reason="X")
    a_circular(by, mine, other)
    a_circular(by, mine, confirmed=True, title_sq="E konfirmuara")
    a_circular(by, mine, asks_confirmation=False, title_sq="Pa konfirmim")
    a_series(every_months=1, starts_on=day(-300))
    a_series("regional", every_months=1, starts_on=day(-1))
    a_series("group", every_months=6, starts_on=day(-10))
    a_series("other", every_months=1, starts_on=day(-300), ends_on=day(-1))
    a_body(meets_every_months=1)
    a_body("NB", meets_every_months=60, founded_on=day(-3))
    put_questions(by, 2)
    put_questions(by, 1, state="returned")
    put_questions(by, 4, state="answered")
    put_questions(by, 5, code="MOH")
    later, sooner, draft = a_meeting(by, 20, "called"), a_meeting(by, 10, "called"), a_meeting(by, 5, "draft")
    for meeting in (later, sooner, draft):
        an_attendee(meeting, user=mine, institution=institution("KP-THB"), answer="yes" if meeting == later else "none")
    an_item(sooner, kind="decision")
    an_item(sooner, 2, kind="decision")
    an_item(sooner, 3)
    decided = an_item(sooner, 4, kind="decision")
    a_decision(sooner, by, item=decided)
    an_item(draft, kind="decision")
    for provider in ("KP-THB", "KP-THB", "MOH"):
        a_service(world, provider)
    confirmed = a_service(world, "KP-THB")
    services.confirm_service(confirmed, by=mine, revision=0)
    services.end_service(a_service(world, "KP-THB"), by=by, revision=0, ended_on=day(0), reason="X")
    services.propose_change(uuid.uuid4(), confirmed, "Later in the evening", by=mine)
    an_accreditation(world, confirmed, valid_until=day(80))
    accreditation.add_corrective(uuid.uuid4(), an_inspection(world, confirmed), by=by, text="Windows", due_on=day(-1))
    trained = a_session(by, held=True, starts_on=day(-300), ends_on=day(-300))
    registered(trained, by, trainee("KP-THB", 1), trainee("KP-THB", 2), trainee("MOH", 1))
    TrainingFollowUp.objects.filter(institution__code="MOH").update(due_on=day(0))
    return {"later": later, "sooner": sooner, "draft": draft}


def numbers(found: waiting.Waiting) -> dict[str, int]:
    return {str(one.label): one.count for one in found.numbers}


def test_what_waits_for_the_office(world, some):
    found = waiting.for_the_office(world.planning)
    assert numbers(found) == {
        "action points overdue": 2, "enquiries not answered": 3, "enquiry overdue": 1, "answer to approve": 1,
        "agreements that end within 90 days": 2, "agreement expired, not renewed": 1, "agreement to review": 1,
        "series of which meetings are owed": 2, "body that must meet": 1,
        "service with a proposal that waits": 1, "services that their providers do not confirm": 3,
        "service to put right after an inspection": 1, "service to put right, overdue": 1,
        "accreditation that ends within 90 days": 1, "effect of a training to tell, overdue": 1,
    }  # fmt: skip
    assert found.meeting == some["draft"] and found.meeting.to_decide == 1
    assert [(str(one), one.missing) for one in found.unconfirmed] == [("Qarkorja e dhjetorit", 2)]


def test_what_waits_for_the_coordinator(world, some):
    found = waiting.for_the_coordinator(world.natc)
    assert numbers(found) == {
        "agreements that end within 90 days": 2, "agreement expired, not renewed": 1, "agreement to review": 1,
        "action points overdue": 2,
    }  # fmt: skip
    assert [(str(one.label), one.count) for one in found.decisions] == [("answer to approve", 1)]
    assert found.meeting == some["sooner"] and found.meeting.to_decide == 2


def test_what_waits_for_an_institution_is_its_own(world, some):
    found = waiting.for_an_institution(world.focal_point)
    assert numbers(found) == {
        "action points to do": 2, "action point overdue": 1, "questions to answer": 3, "services of ours to confirm": 2,
        "service to put right after an inspection": 1, "service to put right, overdue": 1,
        "accreditation that ends within 90 days": 1, "effect of a training to tell, overdue": 1,
    }  # fmt: skip
    assert found.meeting == some["sooner"] and found.to_answer == [some["sooner"]]
    assert [str(one) for one in found.to_confirm] == ["Qarkorja e dhjetorit"]
    other = waiting.for_an_institution(world.other_focal_point)
    assert numbers(other) == {
        "action points to do": 2, "action point overdue": 1, "questions to answer": 5, "service of ours to confirm": 1,
    }  # fmt: skip
    assert other.meeting is None and not other.to_answer and len(other.to_confirm) == 1


def test_where_nothing_waits_the_homes_say_nothing_of_it(world, client_for):
    for who in ("director", "natc", "focal_point"):
        page = client_for(who).get("/").content.decode().partition("<main")[2]  # the menu names them always
        assert "Next meeting" not in page and "action points" not in page and "Circulars" not in page


@pytest.mark.parametrize(
    ("who", "words"),
    [
        (
            "director",
            ["action points overdue", "Next meeting", "One point is for decision", "confirmations are missing"],
        ),
        ("natc", ["Answer to approve", "2 points are for decision"]),
        (
            "focal_point",
            [
                "questions to answer",
                "services of ours to confirm",
                "Meetings that wait for my answer",
                "Circulars to confirm",
            ],
        ),
    ],
)
def test_the_homes_show_it_at_the_same_price_for_many(world, client_for, some, who, words):
    client = client_for(who)

    def cost() -> int:
        asked = []  # the first asks more; now and then a session is written anew
        for _turn in range(3):
            with CaptureQueriesContext(connection) as queries:
                page = client.get("/").content.decode()
            asked.append(len(queries))
        assert all(word in page for word in words), [word for word in words if word not in page]
        return min(asked)

    before = cost()
    by, mine, other = world.director, world.focal_point, world.other_focal_point
    held = a_meeting(by, -40)
    for number in range(12):
        a_point(held, by, due=-2)
        an_enquiry(10 + number, "received", -1)
        an_agreement(by, expires=50)
        a_circular(by, mine, other)
        put_questions(by, 2, title=f"Q{number}")
        an_attendee(a_meeting(by, 30 + number, "called"), user=mine)
        a_series(every_months=1, starts_on=day(-300), name_sq=f"S{number}")
        a_body(f"B{number}", meets_every_months=1)
        a_service(world, "KP-THB")
    assert cost() == before


def test_each_number_opens_a_list_that_shows_as_many(world, client_for, some):
    """The list asks what the number asked."""
    for who, ask in (
        ("planning", waiting.for_the_office),
        ("natc", waiting.for_the_coordinator),
        ("focal_point", waiting.for_an_institution),
    ):
        found = ask(getattr(world, who))
        for one in [*found.numbers, *found.decisions]:
            assert client_for(who).get(one.url).context["filter"].count == one.count, (who, one.url)


def test_services_wait_for_their_provider_and_for_who_keeps_the_directory(world, client_for):
    mine, fresh = (a_service(world, "KP-THB", name_en=name) for name in ("Mine", "Fresh"))
    services.confirm_service(fresh, by=world.focal_point, revision=fresh.revision)
    a_service(world, "MOH", name_en="Theirs")
    ended = a_service(world, "KP-THB", name_en="Ended")
    services.end_service(ended, by=world.director, revision=ended.revision, ended_on=day(0), reason="No money")
    services.propose_change(uuid.uuid4(), mine, "Other hours.", by=world.focal_point)
    assert numbers(waiting.for_an_institution(world.focal_point)) == {"service of ours to confirm": 1}
    assert numbers(waiting.for_an_institution(world.other_focal_point)) == {"service of ours to confirm": 1}
    found = waiting.for_the_office(world.planning)
    assert numbers(found) == {
        "services that their providers do not confirm": 2, "service with a proposal that waits": 1,
    }  # fmt: skip
    assert not numbers(waiting.for_the_coordinator(world.natc))
    for who, one in [("planning", one) for one in found.numbers] + [
        ("focal_point", one) for one in waiting.for_an_institution(world.focal_point).numbers
    ]:
        assert client_for(who).get(one.url).context["filter"].count == one.count, one.url
