"""What ships with the mechanism: the first SOP, who has which function, and code lists; all in one step, since each that asks
for models works all of them out anew. What the office had changed of the limits, dated settings until now, goes into the SOP."""

from functools import partial

from django.db import migrations
from django.utils import timezone

from nrm import first_sop, standards, training_topics, vulnerabilities

# setting → number of the step
STEPS = {
    "sop_notice_hours": 2, "sop_needs_hours": 3, "sop_information_hours": 4, "sop_age_hours": 5, "sop_guardian_hours": 6,
    "sop_risk_hours": 7, "sop_placement_hours": 8, "sop_decision_days": 10, "sop_permit_days": 11,
    "sop_case_plan_days": 12, "sop_best_interest_days": 13, "sop_risk_again_days": 14, "sop_reintegration_days": 16,
    "sop_services_days": 17, "sop_return_days": 18, "sop_compensation_months": 21, "sop_closing_days": 23,
}  # fmt: skip


def carry_over(apps, schema_editor):
    settings = apps.get_model("onatc", "DatedSetting").objects.filter(name__in=STEPS)
    steps = apps.get_model("nrm", "SopStep").objects.filter(version__number=1)
    seen = set()
    for row in settings.filter(valid_from__lte=timezone.localdate()).order_by("-valid_from"):
        if row.name not in seen:
            seen.add(row.name)
            steps.filter(number=STEPS[row.name]).update(amounts=[row.value])
    settings.delete()


def load(apps, schema_editor):
    first_sop.load(apps.get_model)
    carry_over(apps, schema_editor)
    vulnerabilities.load(partial(apps.get_model, "onatc"))
    lists = (apps.get_model("onatc", "CodeList"), apps.get_model("onatc", "Code"))
    standards.load(*lists)
    training_topics.load(*lists)


class Migration(migrations.Migration):
    dependencies = [("nrm", "0001_cases"), ("onatc", "0023_sop_settings"), ("stakeholders", "0002_institutions")]

    # Back again the lists stay: records of the office may name their codes.
    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
