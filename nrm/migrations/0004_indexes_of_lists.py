from django.db import migrations
from django.db.models import Case, F, Index, OrderBy, Q, When

from onatc.migrating import InOneStep

TURN = OrderBy(Case(When(state='sent', then=F('answer_due_at'))))


class Migration(migrations.Migration):

    dependencies = [
        ('nrm', '0003_places_of_help_and_papers'),
    ]

    # In one moment: with a hundred thousand cases the indexes are made within two seconds.
    operations = [
        InOneStep([
            migrations.RemoveIndex(model_name='case', name='case_by_status'),
            migrations.AddIndex(
                model_name='case',
                index=Index(condition=Q(('destroyed_on__isnull', True)), fields=['status', '-opened_on'], name='case_kept_by_status'),
            ),
            migrations.AddIndex(
                model_name='case',
                index=Index(condition=Q(('closed_on__isnull', True), ('destroyed_on__isnull', True), ('duplicate_of__isnull', True)), fields=['status', '-opened_on'], name='case_open_by_status'),
            ),
            migrations.AddIndex(
                model_name='case',
                index=Index(condition=Q(('closed_on__isnull', False)), fields=['closed_on'], name='case_closed'),
            ),
            migrations.AddIndex(
                model_name='case',
                index=Index(condition=Q(('destroyed_on__isnull', False)), fields=['id'], name='case_destroyed'),
            ),
            migrations.AddIndex(
                model_name='clock',
                index=Index(condition=Q(('state__in', ('running', 'paused'))), fields=['case'], include=('state', 'due_at', 'id'), name='clock_open_of_case'),
            ),
            migrations.AddIndex(
                model_name='clock',
                index=Index(condition=Q(('state__in', ('running', 'paused'))), fields=['started_at'], include=('id', 'step', 'owner', 'case', 'state', 'due_at', 'met_at', 'ended_at'), name='clock_open_by_start'),
            ),
            migrations.AddIndex(
                model_name='referral',
                index=Index(fields=['state', 'answer_due_at', 'case'], name='referral_by_state'),
            ),
            migrations.AddIndex(model_name='referral', index=Index(TURN, F('id'), name='referral_by_turn')),
            migrations.AddIndex(model_name='referral', index=Index(F('sender'), TURN, F('id'), name='referral_from_by_turn')),
            migrations.AddIndex(model_name='referral', index=Index(fields=['addressee', 'sender'], name='referral_between')),
        ]),
    ]
