"""The demonstration: the same for the same seed, whole, and looking used."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db.models import AutoField, BinaryField, DateTimeField, Field
from django.utils import timezone

from monitoring.models import Report
from stakeholders.models import ActionPoint, Body, Institution, Role, RoleAssignment, User
from strategy.models import (
    Consultation,
    EntryState,
    NoteKind,
    ProgressEntry,
    Proposal,
    ProposalState,
    ReviewNote,
    Round,
    RoundState,
)

# Written from the clock, salted, or a name drawn by the file store; fields that the database sets to the moment of writing are left out by their kind.
VOLATILE = {"password", "file", "applied_at", "published_at", "not_before", "next_attempt_at"}


def repeats(field: Field[Any, Any]) -> bool:
    """Whether a second loading must give the same: not for moments of writing and numbers that count on."""
    is_moment = getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
    numbered = isinstance(field.target_field if field.is_relation else field, AutoField)
    if field.model._meta.app_label == "nrm" and isinstance(field, DateTimeField | BinaryField):
        return False  # what counts hours counts them from now; what is sealed is sealed with a new nonce
    return not (is_moment or numbered or field.attname in VOLATILE)


def content() -> dict[str, list[str]]:
    """Every row of our own tables, without what the clock writes."""
    found = {}
    for app in ("onatc", "stakeholders", "strategy", "nrm", "monitoring"):
        for model in apps.get_app_config(app).get_models():
            if model.__name__.endswith("Event") or model.__name__ in ("RecordChange", "Heartbeat"):
                continue
            fields = [field.attname for field in model._meta.concrete_fields if repeats(field)]
            found[model.__name__] = sorted(map(repr, model._base_manager.values_list(*fields)))
    return found


@pytest.mark.django_db(transaction=True)
def test_it_looks_used_is_left_alone_and_is_the_same_for_the_same_seed(request, databases):
    """Each loading has a database of its own: one that was emptied again is planned for as if it stayed empty, and then a
    loading takes ten minutes. Loading is the longest thing here: what is asked of one loading is asked of the first."""

    def loaded(seed: int, **options: float) -> dict[str, list[str]]:
        databases.use_for(request.node)
        call_command("seed_demo", seed=seed, verbosity=0, **options)
        return content()

    first = loaded(1)
    looks_used()
    is_left_alone()
    again = loaded(1)
    for name, rows in first.items():
        assert rows == again[name], name
    assert first["Enquiry"] != loaded(2, years=0.25, cases=0)["Enquiry"]


def looks_used() -> None:
    # It was drafted with others.
    consultation = Consultation.objects.get(version__number=1)
    assert consultation.state == "published" and consultation.comments.count() == 12
    assert consultation.comments.values("institution").distinct().count() == 6
    assert set(consultation.comments.values_list("answer", "language")) >= {
        ("accepted", "sr-latn"),
        ("rejected", "sq"),
        ("partly", "sq"),
    }
    assert set(Proposal.objects.values_list("state", flat=True)) == set(ProposalState.values)
    assert Proposal.objects.count() == 6
    # It looks used.
    assert Round.objects.filter(state=RoundState.CLOSED, plan__code="AP-2022-2026").count() == 6
    assert Round.objects.filter(state=RoundState.OPEN).count() == 1
    assert Institution.objects.count() >= 25
    roles = set(RoleAssignment.objects.values_list("role", flat=True))
    assert roles == {role.value for role in Role}
    states = set(ProgressEntry.objects.values_list("state", flat=True))
    assert states >= {EntryState.DRAFT, EntryState.SUBMITTED, EntryState.RETURNED, EntryState.ACCEPTED}
    assert ProgressEntry.objects.filter(is_nil=True).exists()
    assert ProgressEntry.objects.filter(corrects__isnull=False).exists()
    kinds = set(ReviewNote.objects.values_list("kind", flat=True))
    assert kinds >= {NoteKind.SUBMITTED, NoteKind.RESUBMITTED, NoteKind.RETURNED, NoteKind.ACCEPTED}
    assert Report.objects.exists()
    assert {entry.language for entry in ProgressEntry.objects.all()} >= {"sq", "sr-latn"}
    titles = list(ActionPoint.objects.values_list("title_sq", flat=True))
    assert len(titles) == len(set(titles)) == 90 and not any("{" in title for title in titles)
    must_meet = Body.objects.filter(meets_every_months__isnull=False)
    year = timezone.now() - timedelta(days=365)
    assert must_meet and not must_meet.exclude(meetings__held_at__gte=year).exists()


def is_left_alone() -> None:
    people = User.objects.count()
    with pytest.raises(CommandError, match="not empty"):
        call_command("seed_demo", seed=1, verbosity=0)
    assert User.objects.count() == people


@pytest.mark.parametrize("options", [{"years": 0.1}, {"years": 9}, {"cases": -1}])
def test_what_it_cannot_make_it_says(reference_data, options):
    with pytest.raises(CommandError):
        call_command("seed_demo", seed=1, verbosity=0, **options)
