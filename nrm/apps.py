from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NrmConfig(AppConfig):
    name = "nrm"
    verbose_name = _("National Referral Mechanism")

    def ready(self) -> None:
        from nrm import case_sections, invariants
        from nrm.actions import care, file_numbers
        from onatc import backup, sealed
        from onatc.http import MORE_CHECKS

        case_sections.register_own()
        invariants.register()
        from nrm import case_sections, holdings, referral_invariants
        from nrm.queries import referrals

        case_sections.register_own()
        holdings.register()
        referrals.register_related()
        referral_invariants.register()
        from nrm import case_sections, findable
        from nrm.actions import care
        from onatc import backup

        case_sections.register_own()
        findable.register_own()
        backup.after_restore.append(care.destroy_all_again)
        MORE_CHECKS["file numbers"] = file_numbers.keys_are_there
        sealed.register("own file numbers", file_numbers.reseal)
        from nrm import case_sections, oversight_sources

        case_sections.register_own()
        oversight_sources.register_own()
