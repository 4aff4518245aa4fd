"""How django-allauth behaves here: accounts are made by the office, nobody signs up."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from stakeholders.models import User, normalise_email


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def clean_email(self, email: str) -> str:
        return normalise_email(super().clean_email(email))


class SignedInRequest(HttpRequest):
    """A request behind the login wall: its user is one of ours."""

    user: User  # type: ignore[assignment]
