from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OnatcConfig(AppConfig):
    name = "onatc"
    verbose_name = _("shared vocabulary")

    def ready(self) -> None:
        from anymail.signals import tracking

        from onatc import findable, mail

        tracking.connect(mail.note_service_event, dispatch_uid="onatc")
        findable.register_own()
