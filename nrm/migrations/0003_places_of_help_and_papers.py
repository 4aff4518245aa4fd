import django.db.models.deletion
import onatc.files
import onatc.ids
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from onatc.migrating import InOneStep


class Migration(migrations.Migration):

    dependencies = [
        ('nrm', '0002_what_ships'),
        ('onatc', '0024_mails_of_referrals'),
        ('pghistory', '0007_auto_20250421_0444'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        InOneStep([
            pgtrigger.migrations.RemoveTrigger(
                model_name='assistance',
                name='insert_insert',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='assistance',
                name='update_update',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='assistance',
                name='delete_delete',
            ),
            migrations.AddField(
                model_name='assistance',
                name='municipality',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='onatc.municipality', verbose_name='where it is given'),
            ),
            migrations.AddField(
                model_name='assistanceevent',
                name='municipality',
                field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='onatc.municipality', verbose_name='where it is given'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='assistance',
                trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "nrm_assistanceevent" ("case_id", "ends_on", "funding", "id", "kind", "municipality_id", "note", "offered_on", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider_id", "recorded_at", "recorded_by_id", "recorded_for_id", "response", "revision", "starts_on") VALUES (NEW."case_id", NEW."ends_on", NEW."funding", NEW."id", NEW."kind", NEW."municipality_id", NEW."note", NEW."offered_on", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."provider_id", NEW."recorded_at", NEW."recorded_by_id", NEW."recorded_for_id", NEW."response", NEW."revision", NEW."starts_on"); RETURN NULL;', hash='009620937c1bfecdca7ddb92a1e2a7ef9f576632', operation='INSERT', pgid='pgtrigger_insert_insert_7a2cc', table='nrm_assistance', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='assistance',
                trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "nrm_assistanceevent" ("case_id", "ends_on", "funding", "id", "kind", "municipality_id", "note", "offered_on", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider_id", "recorded_at", "recorded_by_id", "recorded_for_id", "response", "revision", "starts_on") VALUES (NEW."case_id", NEW."ends_on", NEW."funding", NEW."id", NEW."kind", NEW."municipality_id", NEW."note", NEW."offered_on", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."provider_id", NEW."recorded_at", NEW."recorded_by_id", NEW."recorded_for_id", NEW."response", NEW."revision", NEW."starts_on"); RETURN NULL;', hash='763ede41808274d20ffd95b2d2e91e28d1986f2a', operation='UPDATE', pgid='pgtrigger_update_update_99160', table='nrm_assistance', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='assistance',
                trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "nrm_assistanceevent" ("case_id", "ends_on", "funding", "id", "kind", "municipality_id", "note", "offered_on", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider_id", "recorded_at", "recorded_by_id", "recorded_for_id", "response", "revision", "starts_on") VALUES (OLD."case_id", OLD."ends_on", OLD."funding", OLD."id", OLD."kind", OLD."municipality_id", OLD."note", OLD."offered_on", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."provider_id", OLD."recorded_at", OLD."recorded_by_id", OLD."recorded_for_id", OLD."response", OLD."revision", OLD."starts_on"); RETURN NULL;', hash='e4bf0d7f7264950e7108b211afe698d8fb287fd2', operation='DELETE', pgid='pgtrigger_delete_delete_24002', table='nrm_assistance', when='AFTER')),
            ),
            migrations.CreateModel(
                name='AssessmentFile',
                fields=[
                    ('id', models.UUIDField(default=onatc.ids.new_id, editable=False, primary_key=True, serialize=False)),
                    ('file', models.FileField(upload_to=onatc.files._own_name, verbose_name='file')),
                    ('original_name', models.CharField(max_length=255, verbose_name='file')),
                    ('content_type', models.CharField(max_length=100, verbose_name='kind of file')),
                    ('size', models.PositiveBigIntegerField(verbose_name='size')),
                    ('sha256', models.CharField(max_length=64, verbose_name='SHA-256')),
                    ('uploaded_at', models.DateTimeField(auto_now_add=True, verbose_name='added')),
                    ('language', models.CharField(choices=[('sq', 'Shqip'), ('sr-latn', 'Srpski'), ('en', 'English')], max_length=10, verbose_name='language')),
                    ('stamp', models.CharField(editable=False, max_length=64)),
                    ('assessment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='files', to='nrm.assessment')),
                    ('uploaded_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='added by')),
                ],
                options={
                    'verbose_name': 'paper of an assessment',
                    'verbose_name_plural': 'papers of assessments',
                    'ordering': ['assessment', 'language', '-uploaded_at'],
                    'constraints': [models.UniqueConstraint(fields=('assessment', 'language', 'stamp'), name='assessment_file_once')],
                },
            ),
            migrations.CreateModel(
                name='AssessmentFileEvent',
                fields=[
                    ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                    ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                    ('pgh_label', models.TextField(help_text='The event label.')),
                    ('id', models.UUIDField(default=onatc.ids.new_id, editable=False, serialize=False)),
                    ('file', models.FileField(upload_to=onatc.files._own_name, verbose_name='file')),
                    ('original_name', models.CharField(max_length=255, verbose_name='file')),
                    ('content_type', models.CharField(max_length=100, verbose_name='kind of file')),
                    ('size', models.PositiveBigIntegerField(verbose_name='size')),
                    ('sha256', models.CharField(max_length=64, verbose_name='SHA-256')),
                    ('uploaded_at', models.DateTimeField(auto_now_add=True, verbose_name='added')),
                    ('language', models.CharField(choices=[('sq', 'Shqip'), ('sr-latn', 'Srpski'), ('en', 'English')], max_length=10, verbose_name='language')),
                    ('stamp', models.CharField(editable=False, max_length=64)),
                    ('assessment', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='nrm.assessment')),
                    ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                    ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='nrm.assessmentfile')),
                    ('uploaded_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL, verbose_name='added by')),
                ],
                options={
                    'abstract': False,
                },
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='assessmentfile',
                trigger=pgtrigger.compiler.Trigger(name='note_change', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO onatc_recordchange (id) VALUES (pg_current_xact_id()::text::bigint) ON CONFLICT DO NOTHING; RETURN NULL;', hash='180453c8dc84c389533329b58ddf8f10cab09841', level='STATEMENT', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_note_change_ec692', table='nrm_assessmentfile', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='assessmentfile',
                trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "nrm_assessmentfileevent" ("assessment_id", "content_type", "file", "id", "language", "original_name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "sha256", "size", "stamp", "uploaded_at", "uploaded_by_id") VALUES (NEW."assessment_id", NEW."content_type", NEW."file", NEW."id", NEW."language", NEW."original_name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."sha256", NEW."size", NEW."stamp", NEW."uploaded_at", NEW."uploaded_by_id"); RETURN NULL;', hash='585e9132a85fb6a9c639f586264589ffe6485772', operation='INSERT', pgid='pgtrigger_insert_insert_d3ff1', table='nrm_assessmentfile', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='assessmentfile',
                trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "nrm_assessmentfileevent" ("assessment_id", "content_type", "file", "id", "language", "original_name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "sha256", "size", "stamp", "uploaded_at", "uploaded_by_id") VALUES (NEW."assessment_id", NEW."content_type", NEW."file", NEW."id", NEW."language", NEW."original_name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."sha256", NEW."size", NEW."stamp", NEW."uploaded_at", NEW."uploaded_by_id"); RETURN NULL;', hash='087383f7191498f43790af2433ad839e92cd63ad', operation='UPDATE', pgid='pgtrigger_update_update_fde4b', table='nrm_assessmentfile', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='assessmentfile',
                trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "nrm_assessmentfileevent" ("assessment_id", "content_type", "file", "id", "language", "original_name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "sha256", "size", "stamp", "uploaded_at", "uploaded_by_id") VALUES (OLD."assessment_id", OLD."content_type", OLD."file", OLD."id", OLD."language", OLD."original_name", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."sha256", OLD."size", OLD."stamp", OLD."uploaded_at", OLD."uploaded_by_id"); RETURN NULL;', hash='b5d1f2c5fc1f3045e32f8d10d68bca882df82fff', operation='DELETE', pgid='pgtrigger_delete_delete_923b4', table='nrm_assessmentfile', when='AFTER')),
            ),
        ]),
    ]
