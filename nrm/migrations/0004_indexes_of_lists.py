from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('nrm', '0003_places_of_help_and_papers'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='case',
            index=models.Index(condition=models.Q(('destroyed_on__isnull', False)), fields=['id'], name='case_destroyed'),
        ),
        AddIndexConcurrently(
            model_name='referral',
            index=models.Index(fields=['state', 'answer_due_at', 'case'], name='referral_by_state'),
        ),
        AddIndexConcurrently(
            model_name='referral',
            index=models.Index(models.OrderBy(models.Case(models.When(state='sent', then=models.F('answer_due_at')))), models.F('id'), name='referral_by_turn'),
        ),
        AddIndexConcurrently(
            model_name='referral',
            index=models.Index(models.F('sender'), models.OrderBy(models.Case(models.When(state='sent', then=models.F('answer_due_at')))), models.F('id'), name='referral_from_by_turn'),
        ),
        AddIndexConcurrently(
            model_name='referral',
            index=models.Index(fields=['addressee', 'sender'], name='referral_between'),
        ),
    ]
