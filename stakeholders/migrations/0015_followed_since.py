import onatc.migrating
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('stakeholders', '0014_review_before_the_end'),
    ]

    operations = [
        onatc.migrating.InOneStep(
            operations=[
                pgtrigger.migrations.RemoveTrigger(
                    model_name='country',
                    name='insert_insert',
                ),
                pgtrigger.migrations.RemoveTrigger(
                    model_name='country',
                    name='update_update',
                ),
                pgtrigger.migrations.RemoveTrigger(
                    model_name='country',
                    name='delete_delete',
                ),
                migrations.AddField(
                    model_name='country',
                    name='followed_since',
                    field=models.DateField(blank=True, null=True, verbose_name='followed since'),
                ),
                migrations.AddField(
                    model_name='countryevent',
                    name='followed_since',
                    field=models.DateField(blank=True, null=True, verbose_name='followed since'),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='country',
                    trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "stakeholders_countryevent" ("code", "counterpart_id", "followed_since", "is_followed", "language", "name_en", "name_sq", "name_sr", "note", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "revision") VALUES (NEW."code", NEW."counterpart_id", NEW."followed_since", NEW."is_followed", NEW."language", NEW."name_en", NEW."name_sq", NEW."name_sr", NEW."note", _pgh_attach_context(), NOW(), \'insert\', NEW."code", NEW."revision"); RETURN NULL;', hash='1d86834a7db909f74f0100b2a5500f5c62b7d6fd', operation='INSERT', pgid='pgtrigger_insert_insert_be94a', table='stakeholders_country', when='AFTER')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='country',
                    trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "stakeholders_countryevent" ("code", "counterpart_id", "followed_since", "is_followed", "language", "name_en", "name_sq", "name_sr", "note", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "revision") VALUES (NEW."code", NEW."counterpart_id", NEW."followed_since", NEW."is_followed", NEW."language", NEW."name_en", NEW."name_sq", NEW."name_sr", NEW."note", _pgh_attach_context(), NOW(), \'update\', NEW."code", NEW."revision"); RETURN NULL;', hash='2074d7d6e9d545c3105824ce7734c9131e8a0986', operation='UPDATE', pgid='pgtrigger_update_update_478fb', table='stakeholders_country', when='AFTER')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='country',
                    trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "stakeholders_countryevent" ("code", "counterpart_id", "followed_since", "is_followed", "language", "name_en", "name_sq", "name_sr", "note", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "revision") VALUES (OLD."code", OLD."counterpart_id", OLD."followed_since", OLD."is_followed", OLD."language", OLD."name_en", OLD."name_sq", OLD."name_sr", OLD."note", _pgh_attach_context(), NOW(), \'delete\', OLD."code", OLD."revision"); RETURN NULL;', hash='f40f0f79ce336bbb64924b96d6dd00245bc7cd0a', operation='DELETE', pgid='pgtrigger_delete_delete_f85d6', table='stakeholders_country', when='AFTER')),
                ),
                # Whoever is followed owes the meeting since its series began, or since today: nobody wrote down the day.
                migrations.RunSQL(
                    "UPDATE stakeholders_country SET followed_since = COALESCE((SELECT MIN(starts_on)"
                    " FROM stakeholders_meetingseries WHERE country_id = stakeholders_country.code"
                    " AND kind = 'face_to_face' AND ends_on IS NULL), CURRENT_DATE) WHERE is_followed",
                    migrations.RunSQL.noop,
                ),
            ],
        ),
    ]
