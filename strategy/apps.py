from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StrategyConfig(AppConfig):
    name = "strategy"
    verbose_name = _("strategy and action plan")

    def ready(self) -> None:
        from strategy import (
            agenda_sources,
            calendar_sources,
            computed,
            due_days,
            event_measures,
            evidence,
            findable,
            holdings,
            invariants,
        )
        from strategy.queries import cooperation

        holdings.register()
        findable.register_own()
        computed.register_own()
        evidence.register_own()
        invariants.register()
        agenda_sources.register_own()
        cooperation.register_related()
        calendar_sources.register_own()
        event_measures.register()
        due_days.register()
