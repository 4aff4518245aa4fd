from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StrategyConfig(AppConfig):
    name = "strategy"
    verbose_name = _("strategy and action plan")

    def ready(self) -> None:
        from strategy import computed, event_measures, evidence, findable, holdings, invariants

        holdings.register()
        findable.register_own()
        computed.register_own()
        evidence.register_own()
        invariants.register()
        event_measures.register()
