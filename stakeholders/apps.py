from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StakeholdersConfig(AppConfig):
    name = "stakeholders"
    verbose_name = _("stakeholders")

    def ready(self) -> None:
        from stakeholders import account_events, findable, invariants, ownership

        account_events.connect()
        ownership.register_own()
        findable.register_own()
        invariants.register()
