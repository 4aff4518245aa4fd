"""Serbian in Latin script: Django's own, whose short dates pad the month but not the day (9.09.2026.), put right."""

SHORT_DATE_FORMAT = "d.m.Y."
SHORT_DATETIME_FORMAT = "d.m.Y. H:i"
