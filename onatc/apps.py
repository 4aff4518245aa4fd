from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OnatcConfig(AppConfig):
    name = "onatc"
    verbose_name = _("shared vocabulary")

    def ready(self) -> None:
        from onatc import findable

        findable.register_own()
