from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NrmConfig(AppConfig):
    name = "nrm"
    verbose_name = _("National Referral Mechanism")

    def ready(self) -> None:
        from nrm import (
            case_sections,
            findable,
            holdings,
            invariants,
            oversight_sources,
            referral_invariants,
            service_sources,
            training_invariants,
            training_sources,
        )
        from nrm.actions import care, file_numbers, imports, services
        from nrm.queries import referrals
        from onatc import backup, sealed
        from onatc.http import MORE_CHECKS

        case_sections.register_own()
        findable.register_own()
        holdings.register()
        invariants.register()
        referral_invariants.register()
        training_invariants.register()
        referrals.register_related()
        oversight_sources.register_own()
        service_sources.register_own()
        training_sources.register()
        backup.after_restore.append(care.destroy_all_again)
        MORE_CHECKS["file numbers"] = file_numbers.keys_are_there
        sealed.register("own file numbers", file_numbers.reseal)
        sealed.register("references of imported cases", imports.renew_tokens)
        sealed.register("addresses of services", services.seal_addresses_anew)
