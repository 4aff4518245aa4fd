"""Institutions and their people, meetings and what they decide, agreements, enquiries, events and circulars."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from monitoring.samples.cast import OWN, Cast
from onatc.ids import new_id
from stakeholders.actions import decisions as decision_actions
from stakeholders.actions.feeds import open_feed
from stakeholders.actions.invitations import key_of, minutes_key_of
from stakeholders.models import (
    AgendaItem,
    Agreement,
    AgreementFile,
    AgreementParty,
    AnswerTemplate,
    AssignmentFile,
    Attendee,
    Body,
    BodyMember,
    CalendarFeed,
    Circular,
    CircularFile,
    CircularRecipient,
    Communication,
    CommunicationFile,
    Contact,
    ContactFunction,
    CountryFigure,
    Enquiry,
    EnquiryFile,
    Event,
    EventFile,
    EventPartner,
    Exchange,
    ExchangeFile,
    InternationalDay,
    LibraryDocument,
    LibraryFile,
    LibraryReader,
    Meeting,
    MeetingFile,
    MeetingSeries,
    MinutesComment,
    MinutesFile,
    Obligation,
    PointFile,
    Question,
    QuestionAssignment,
    Questionnaire,
    QuestionnaireFile,
    Role,
)
from stakeholders.models.accounts import hashed
from strategy.models import (
    PointMeasure,
)


class Cooperation(Cast):
    outreach: dict[str, dict[str, Any]]

    def _meetings(self, code: str) -> dict[str, Any]:
        """A held meeting of a body in which the institution sits, with minutes that are circulated and that a later one
        may adopt."""
        office, now, institution = self.users[Role.DIRECTOR], timezone.now(), self.institutions[code]
        body = Body.objects.create(
            code=f"matrix-{code.lower()}", name_sq="Matrica", kind="group", founded_on=now.date() - timedelta(days=9)
        )
        contact = Contact.objects.create(full_name="x")
        seat = BodyMember.objects.create(
            body=body, institution=institution, person=contact, starts_on=now.date() - timedelta(days=9)
        )
        series = MeetingSeries.objects.create(kind="other", name_sq="Matrica", body=body)
        meeting = Meeting.objects.create(
            series=series, body=body, title_sq="Matrica", starts_at=now - timedelta(hours=3), ends_at=now - timedelta(hours=2),
            state="held", called_at=now, called_by=office, created_by=office, minutes_state="circulated",
            comments_until=now.date() + timedelta(days=2),
        )  # fmt: skip
        item = AgendaItem.objects.create(meeting=meeting, position=1, title_sq="Matrica", minutes_sq="x")
        later = Meeting.objects.create(
            series=series, body=body, title_sq="Matrica", starts_at=now - timedelta(hours=1), ends_at=now, state="held",
            called_at=now, called_by=office, created_by=office,
        )  # fmt: skip
        AgendaItem.objects.create(meeting=later, position=1, kind="minutes", title_sq="Matrica", minutes_of=meeting)
        Attendee.objects.create(meeting=meeting, contact=contact, institution=institution, seat=seat, was_present=True)
        papers = {"meeting": meeting, "by": office}
        return {
            "body": body,
            "contact": contact,
            "seat": seat,
            "meeting-series": series,
            "meeting": meeting,
            "agenda-item": item,
            "attendee": Attendee.objects.create(meeting=meeting, guest_name="x", role="guest"),
            "meeting-file": self._file(MeetingFile, "x.csv", "text/csv", **papers),
            "minutes-comment": MinutesComment.objects.create(
                meeting=meeting, institution=institution, text="x", by=self.reporters[code]
            ),
            "minutes-file": self._file(
                MinutesFile, "x.pdf", "application/pdf", **papers, language="sq", stamp="0" * 64
            ),
        }

    def _people(self, code: str) -> dict[str, Any]:
        """A contact of the institution, with a seat in a body; an exchange belongs to the office alone."""
        institution, today = self.institutions[code], timezone.localdate()
        contact = Contact.objects.create(full_name=f"Contact {code}", email=f"{code.lower()}@contact.invalid")
        body = Body.objects.create(code=f"seats-{code.lower()}", kind="group", name_sq="Grupi", founded_on=today)
        exchange = Exchange.objects.create(
            country_id="AL", direction="out", kind="data", on=today, what="x", basis="x", created_by=self.users[Role.DIRECTOR]
        )  # fmt: skip
        return {
            "contact": contact,
            "function": ContactFunction.objects.create(contact=contact, institution=institution, title="x"),
            "body": body,
            "seat": BodyMember.objects.create(body=body, institution=institution, person=contact, starts_on=today),
            "exchange": exchange,
            "country-figure": CountryFigure.objects.create(
                country_id="AL",
                role="origin",
                starts_on=today,
                ends_on=today,
                population="identified",
                value=1,
                provider=code,
                source="x",
                source_date="2026",
            ),
            "exchange-file": self._file(ExchangeFile, "x.csv", "text/csv", by=None, exchange=exchange),
        }

    def _enquiring(self, code: str) -> dict[str, Any]:
        """What the office keeps as focal point (Article 8.4.6), and a question put to the institution, which answered."""
        office, today, asked = self.users[Role.INFORMATION], timezone.localdate(), self.institutions[code]
        communication = Communication.objects.create(about="x", institution=asked, by=office)
        enquiry = Enquiry.objects.create(
            year=today.year, number=1 if code == OWN else 2, received_on=today, due_on=today, way="letter",
            sender_kind="national", institution=asked, subject="x", question="x", answer="x", state="drafted",
            drafted_by=office,
        )  # fmt: skip
        questionnaire = Questionnaire.objects.create(
            title="x", asked_by=self.institutions["OSCE"], received_on=today, due_on=today, responsible=office
        )
        question = Question.objects.create(
            questionnaire=questionnaire, position=1, text="x", answer="x", state="drafted"
        )
        assignment = QuestionAssignment.objects.create(
            question=question, institution=asked, due_on=today, answer="x", state="answered"
        )
        sha = {"format": "xlsx", "fingerprint": "0" * 64}
        return {
            "communication-file": self._file(CommunicationFile, "x.csv", "text/csv", by=office, communication=communication),
            "communication-": communication,
            "enquiry-file": self._file(EnquiryFile, "x.csv", "text/csv", by=office, enquiry=enquiry),
            "enquiry-": enquiry,
            "template-": AnswerTemplate.objects.create(title_sq="Matrica", text_sq="x", created_by=office),
            "questionnaire-file": self._file(
                QuestionnaireFile, "x.csv", "text/csv", by=office, questionnaire=questionnaire, **sha
            ),
            "questionnaire-": questionnaire,
            "question-": question,
            "assignment-file": self._file(AssignmentFile, "x.csv", "text/csv", by=office, assignment=assignment),
            "assignment-": assignment,
        }  # fmt: skip

    def _meeting(self, code: str) -> dict[str, Any]:
        """What a meeting decided to which the institution was called, and what it was given to do."""
        office, now = self.users[Role.DIRECTOR], timezone.now()
        body, _new = Body.objects.get_or_create(
            code="matrix", defaults={"name_sq": "Matrica", "kind": "authority", "founded_on": timezone.localdate()}
        )
        meeting = Meeting.objects.create(
            body=body, title_sq="Matrica", starts_at=now, ends_at=now + timedelta(minutes=1), state="held", called_at=now,
            held_at=now, created_by=office,
        )  # fmt: skip
        Attendee.objects.create(meeting=meeting, role="guest", guest_name="x", institution=self.institutions[code])
        today = timezone.localdate()
        decided = {"decided_on": today, "text_sq": "x", "way": "consensus"}
        decision = decision_actions.record_decision(new_id(), meeting, decided, by=office)
        given = {"title_sq": "Matrica", "owner": self.institutions[code], "due_on": today, "decision": decision}
        point = decision_actions.make_point(new_id(), meeting, given, by=office)
        link = PointMeasure.objects.create(point=point, lineage=self.records[code]["measure"].lineage, by=office)
        file = self._file(PointFile, "x.csv", "text/csv", by=office, point=point)
        return {"meeting": meeting, "decision": decision, "point": point, "point-link": link, "point-file": file}

    def _call(self, code: str) -> dict[str, Any]:
        """A meeting to which the institution and its reporter are called, with the key of the link; a feed of the reporter."""
        start, office = timezone.now() + timedelta(days=9), self.users[Role.DIRECTOR]
        meeting = Meeting.objects.create(
            title_en="Matrix", starts_at=start, ends_at=start + timedelta(hours=1), state="called", called_at=timezone.now(),
            called_by=office, created_by=office, answer_salt="matrix",
        )  # fmt: skip
        contact, _new = Contact.objects.get_or_create(user=self.reporters[code], defaults={"full_name": code})
        attendee = Attendee.objects.create(meeting=meeting, contact=contact, institution=self.institutions[code])
        held = Meeting.objects.create(
            title_en="Matrix", starts_at=start - timedelta(days=20), ends_at=start - timedelta(days=19), state="held",
            called_at=timezone.now(), held_at=timezone.now(), minutes_state="circulated", circulated_at=timezone.now(),
            comments_until=timezone.localdate(), created_by=office, answer_salt="matrix",
        )  # fmt: skip
        was_there = Attendee.objects.create(meeting=held, contact=contact, was_present=True)
        return {
            "meeting": meeting,
            "answer": key_of(meeting, attendee),
            "minutes-read": minutes_key_of(held, was_there),
            "feed": open_feed(by=self.reporters[code], body=None),
            "feed-record": CalendarFeed.objects.get(user=self.reporters[code]),
        }

    def _agreement(self, code: str) -> dict[str, Any]:
        """One in force between the institution and the Coordinator, with an annex and something that is owed."""
        today, office = timezone.localdate(), self.users[Role.DIRECTOR]
        agreement = Agreement.objects.create(
            kind="memorandum", title_en="Matrix", signed_on=today, in_force_on=today, responsible=office
        )
        for one in (code, "NATC"):
            AgreementParty.objects.create(agreement=agreement, institution=self.institutions[one])
        return {
            "file": self._file(AgreementFile, "x.csv", "text/csv", by=office, agreement=agreement, is_annex=True),
            "obligation": Obligation.objects.create(
                agreement=agreement, institution=self.institutions[code], text="x", first_due_on=today, due_on=today
            ),
            "agreement": agreement,
        }

    def _outreach(self, code: str) -> dict[str, Any]:
        """An event for its partner, a circular that was sent to its reporter and one that is a draft, a document of a body
        in which it sits."""
        office, today, body = self.users[Role.INFORMATION], timezone.localdate(), self.institutions[code]
        event = Event.objects.create(
            kind="training", title_en="Matrix", starts_on=today, ends_on=today, organiser=self.institutions["ONATC"],
            is_public=False, created_by=office,
        )  # fmt: skip
        circular = Circular.objects.create(
            title_en="Matrix", text_en="x", state="sent", sent_at=timezone.now(), sent_by=office, created_by=office
        )
        contact, _new = Contact.objects.get_or_create(user=self.reporters[code], defaults={"full_name": code})
        key = f"matrix-{code}"
        CircularRecipient.objects.create(
            circular=circular, contact=contact, institution=body, language="en", key_hash=hashed(key)
        )
        readers = Body.objects.create(code=f"readers-{code.lower()}", name_sq="Matrica", kind="group", founded_on=today)
        BodyMember.objects.create(body=readers, institution=body, starts_on=today)
        library = LibraryDocument.objects.create(kind="other", title_en="Matrix", is_for_all=False, created_by=office)
        LibraryReader.objects.create(document=library, body=readers)
        circular_file = self._file(CircularFile, "x.csv", "text/csv", by=office, circular=circular)
        draft = Circular.objects.create(title_en="Matrix", text_en="x", created_by=office)
        of_draft = self._file(CircularFile, "x.csv", "text/csv", by=office, circular=draft)
        return {
            "stakeholders:event-partner-remove": EventPartner.objects.create(event=event, institution=body),
            **dict.fromkeys(
                ("stakeholders:event-file", "stakeholders:event-file-remove"),
                self._file(EventFile, "x.csv", "text/csv", by=office, event=event, kind="material"),
            ),
            "stakeholders:circular-file": circular_file,
            "stakeholders:circular-file-remove": of_draft,
            **dict.fromkeys((f"stakeholders:circular-{act}" for act in ("edit", "discard", "send", "file-add")), draft),
            "stakeholders:library-file": self._file(
                LibraryFile, "x.csv", "text/csv", by=office, document=library, number=1, on=today
            ),
            "event": event, "circular": circular, "document": library, "key": key, "file": circular_file,
        }  # fmt: skip

    def _outreach_arguments(self, name: str, code: str) -> dict[str, Any]:
        """Of events, circulars and the library; empty for all others."""
        samples = self.outreach[code]
        if name.startswith("stakeholders:circular-read"):
            return {"key": samples["key"]} | ({"pk": samples["file"].pk} if name.endswith("-file") else {})
        if name in samples:
            return {"pk": samples[name].pk}
        if name == "stakeholders:day-edit":
            return {"pk": InternationalDay.objects.all()[0].pk}
        if name == "strategy:event-measures":
            return {"pk": samples["event"].pk}
        for kind in ("event", "circular", "document"):
            if name.startswith(f"stakeholders:{kind}-"):
                return {"pk": samples[kind].pk}
        return {}
