"""What beat asks of the referral mechanism; every one may run twice and late."""

from celery import shared_task

from nrm.actions import escalation


@shared_task
def escalate_referrals() -> None:
    escalation.escalate()
