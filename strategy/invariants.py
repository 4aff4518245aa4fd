"""What must always be true of rounds (onatc.operation)."""

from collections.abc import Iterator

from django.db.models import Exists, F, OuterRef

from onatc.operation import invariant
from strategy.models import FINAL_STATES, EntryState, ProgressEntry, ProgressRequest


def register() -> None:
    invariant(requests_know_what_came)


def requests_know_what_came() -> Iterator[str]:
    """What a request says of its answer is what its entries say."""
    came = ProgressEntry.objects.filter(
        request=OuterRef("pk"), corrects=None, state__in=[EntryState.SUBMITTED, *FINAL_STATES]
    )
    wrong = ProgressRequest.objects.annotate(came=Exists(came), late=Exists(came.filter(is_late=True))).exclude(
        is_handed_in=F("came"), came_late=F("late")
    )
    for pk in wrong.order_by().values_list("pk", flat=True).iterator():
        yield f"request {pk}: what it says of being handed in is not what its entries say"
