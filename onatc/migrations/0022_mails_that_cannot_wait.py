from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('onatc', '0021_folded_words'),
    ]

    operations = [
        migrations.AlterField(
            model_name='message',
            name='kind',
            field=models.CharField(choices=[('account', 'your account and its security'), ('reminder', 'reminders of reports that are due'), ('review', 'answers to what you submitted'), ('notice', 'notices of the office'), ('meeting', 'calls to meetings'), ('soon', 'news of a meeting that begins before the next morning'), ('digest', 'daily digest')], default='notice', max_length=10, verbose_name='kind'),
        ),
    ]
