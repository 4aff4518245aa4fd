from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NrmConfig(AppConfig):
    name = "nrm"
    verbose_name = _("National Referral Mechanism")

    def ready(self) -> None:
        from nrm import case_sections, invariants, oversight_sources
        from nrm.actions import care
        from onatc import backup

        case_sections.register_own()
        oversight_sources.register_own()
        invariants.register()
        backup.after_restore.append(care.destroy_all_again)
