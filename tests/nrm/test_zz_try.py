import pytest, time, io
from datetime import date
from django.core.management import call_command
from django.utils import timezone
from nrm.actions.imports import *
from nrm.models import *
from tests.nrm.case_files import as_file, realistic
from nrm.counting.table import Question
from nrm.queries.counting import as_csv, facts_for, counted
import os
N=int(os.environ.get("N","2000"))
@pytest.mark.django_db
def test_speed(reference_data):
    rows=realistic(N, 1, timezone.localdate())
    f=as_file(*rows)
    ins=Institution.objects.get(code="ONATC")
    t=time.time(); reading, found=look_into(f, ins); print("read", time.time()-t, found.rows, found.new, found.by_status, found.merges)
    for p in found.problems[:10]: print(p)
    f.seek(0)
    t=time.time(); bring_in(f, ins, by=None); print("write", time.time()-t)
    from django.db import connection
    with connection.cursor() as c: c.execute("SET CONSTRAINTS ALL IMMEDIATE")
    f.seek(0)
    t=time.time(); b=bring_in(f, ins, by=None); print("again", time.time()-t, b.new, b.known)
    from nrm.counting.populations import POPULATIONS
    for p in POPULATIONS:
        t=time.time(); out=counted(Question(p, date(2023,1,1), date(2026,12,31), ("sex","period","age_band") if POPULATIONS[p].is_of_persons else ("sex",))); print(p, time.time()-t, len(out), out[-1])
