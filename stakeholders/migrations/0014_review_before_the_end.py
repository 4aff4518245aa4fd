import onatc.migrating
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('stakeholders', '0013_remarks_and_lists'),
    ]

    operations = [
        onatc.migrating.InOneStep(
            operations=[
                # A review that was put behind the last day is due on that day at the latest.
                migrations.RunSQL(
                    "UPDATE stakeholders_agreement SET review_on = expires_on, revision = revision + 1"
                    " WHERE review_on > expires_on",
                    migrations.RunSQL.noop,
                ),
                migrations.AddConstraint(
                    model_name='agreement',
                    constraint=models.CheckConstraint(condition=models.Q(('review_on__isnull', True), ('expires_on__isnull', True), ('review_on__lte', models.F('expires_on')), _connector='OR'), name='agreement_review_before_it_ends', violation_error_message="The review must not lie after the agreement's last day."),
                ),
                # Labels alone; the database does nothing.
                migrations.AlterField(
                    model_name='agreement',
                    name='data_shared',
                    field=models.TextField(blank=True, max_length=4000, verbose_name='which data is shared'),
                ),
                migrations.AlterField(
                    model_name='agreement',
                    name='kind',
                    field=models.CharField(choices=[('memorandum', 'memorandum of understanding'), ('protocol', 'protocol of cooperation'), ('data_sharing', 'agreement on sharing data'), ('other', 'other agreement')], max_length=15, verbose_name='kind'),
                ),
                migrations.AlterField(
                    model_name='agreementevent',
                    name='data_shared',
                    field=models.TextField(blank=True, max_length=4000, verbose_name='which data is shared'),
                ),
                migrations.AlterField(
                    model_name='agreementevent',
                    name='kind',
                    field=models.CharField(choices=[('memorandum', 'memorandum of understanding'), ('protocol', 'protocol of cooperation'), ('data_sharing', 'agreement on sharing data'), ('other', 'other agreement')], max_length=15, verbose_name='kind'),
                ),
                migrations.AlterField(
                    model_name='event',
                    name='kind',
                    field=models.CharField(choices=[('conference', 'conference'), ('seminar', 'seminar or workshop'), ('training', 'training'), ('campaign', 'campaign'), ('observance', 'observance of an international day'), ('visit', 'study visit'), ('other', 'other event')], max_length=12, verbose_name='kind'),
                ),
                migrations.AlterField(
                    model_name='eventevent',
                    name='kind',
                    field=models.CharField(choices=[('conference', 'conference'), ('seminar', 'seminar or workshop'), ('training', 'training'), ('campaign', 'campaign'), ('observance', 'observance of an international day'), ('visit', 'study visit'), ('other', 'other event')], max_length=12, verbose_name='kind'),
                ),
                migrations.AlterField(
                    model_name='librarydocument',
                    name='kind',
                    field=models.CharField(choices=[('law', 'law and sub-legal act'), ('guideline', 'guideline or procedure'), ('report', 'report'), ('form', 'form'), ('training', 'training material'), ('other', 'other document')], max_length=10, verbose_name='kind'),
                ),
                migrations.AlterField(
                    model_name='librarydocumentevent',
                    name='kind',
                    field=models.CharField(choices=[('law', 'law and sub-legal act'), ('guideline', 'guideline or procedure'), ('report', 'report'), ('form', 'form'), ('training', 'training material'), ('other', 'other document')], max_length=10, verbose_name='kind'),
                ),
                migrations.AlterField(
                    model_name='meeting',
                    name='voting_present',
                    field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='voting members present'),
                ),
                migrations.AlterField(
                    model_name='meetingevent',
                    name='voting_present',
                    field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='voting members present'),
                ),
            ],
        ),
    ]
