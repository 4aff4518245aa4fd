import onatc.migrating
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('stakeholders', '0013_remarks_and_lists'),
    ]

    operations = [
        onatc.migrating.AtOnce(
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
            ],
        ),
    ]
