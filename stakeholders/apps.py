from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StakeholdersConfig(AppConfig):
    name = "stakeholders"
    verbose_name = _("stakeholders")

    def ready(self) -> None:
        from onatc import sealed
        from onatc.http import MORE_CHECKS
        from stakeholders import (
            account_events,
            agenda_sources,
            calendar_sources,
            due_days,
            factor_secrets,
            findable,
            invariants,
            ownership,
        )

        account_events.connect()
        ownership.register_own()
        findable.register_own()
        agenda_sources.register_own()
        calendar_sources.register_own()
        invariants.register()
        due_days.register()
        sealed.register("second factors", factor_secrets.reseal)
        MORE_CHECKS["second factors"] = factor_secrets.keys_are_there
