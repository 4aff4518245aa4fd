from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MonitoringConfig(AppConfig):
    name = "monitoring"
    verbose_name = _("monitoring")

    def ready(self) -> None:
        from monitoring import findable, holdings, invariants
        from monitoring.queries import cooperation

        holdings.register()
        invariants.register()
        findable.register_own()
        cooperation.register()
