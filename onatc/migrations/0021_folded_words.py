"""What is searched is folded by a function whose results a column can keep (onatc.texts.Folded)."""

from django.db import migrations

from onatc.texts import FOLD_FUNCTION_SQL


class Migration(migrations.Migration):
    dependencies = [("onatc", "0020_settings_of_cooperation")]

    operations = [migrations.RunSQL(FOLD_FUNCTION_SQL, "DROP FUNCTION folded(text)")]
