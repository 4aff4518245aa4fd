from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NrmConfig(AppConfig):
    name = "nrm"
    verbose_name = _("National Referral Mechanism")

    def ready(self) -> None:
        from nrm import case_sections, holdings, referral_invariants
        from nrm.actions import care
        from nrm.queries import referrals
        from onatc import backup

        case_sections.register_own()
        holdings.register()
        referrals.register_related()
        referral_invariants.register()
        backup.after_restore.append(care.destroy_all_again)
