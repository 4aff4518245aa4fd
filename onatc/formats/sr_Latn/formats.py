"""Serbian in Latin script: Django's own, whose short dates pad the month but not the day (9.09.2026.) and whose months stand
in the nominative after the day (10. decembar), put right."""

DATE_FORMAT = "j. E Y."
DATETIME_FORMAT = "j. E Y. H:i"
MONTH_DAY_FORMAT = "j. E"
SHORT_DATE_FORMAT = "d.m.Y."
SHORT_DATETIME_FORMAT = "d.m.Y. H:i"
