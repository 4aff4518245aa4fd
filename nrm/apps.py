from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NrmConfig(AppConfig):
    name = "nrm"
    verbose_name = _("National Referral Mechanism")

    def ready(self) -> None:
        from nrm import case_sections, training_sources

        case_sections.register_own()
        training_sources.register()
