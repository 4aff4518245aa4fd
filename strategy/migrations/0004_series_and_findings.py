"""Rounds that there are get their series; entries that were verified carry the finding that they were."""

from django.db import migrations

SERIES = """
INSERT INTO strategy_roundseries (id, plan_id, frequency, asks_partners, guidance_sq, guidance_sr, guidance_en, is_active)
SELECT gen_random_uuid(), plan_id, 'quarter', false, '', '', '', false
FROM strategy_round
WHERE series_id IS NULL AND ends_on - starts_on BETWEEN 88 AND 92
GROUP BY plan_id
ON CONFLICT DO NOTHING;
UPDATE strategy_round SET series_id = series.id
FROM strategy_roundseries AS series
WHERE series.plan_id = strategy_round.plan_id AND series.frequency = 'quarter' AND strategy_round.series_id IS NULL
  AND strategy_round.ends_on - strategy_round.starts_on BETWEEN 88 AND 92;
UPDATE strategy_progressentry SET finding = 'verified', verified_measure_state = measure_state
WHERE state = 'verified' AND finding = '';
UPDATE strategy_progressentry SET is_late = true
FROM strategy_progressrequest AS request, strategy_round AS round
WHERE request.id = strategy_progressentry.request_id AND round.id = request.round_id
  AND submitted_at IS NOT NULL AND (submitted_at AT TIME ZONE 'Europe/Belgrade')::date > round.due_on;
"""


class Migration(migrations.Migration):
    dependencies = [("strategy", "0003_whole_life_of_a_plan")]

    operations = [migrations.RunSQL(SERIES, migrations.RunSQL.noop)]
