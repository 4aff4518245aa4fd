"""The headings of the Minimum Standards of Care that ship with the application, as a code list that the office may change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data" / "care_standards.json"


def load(code_list_model: Any, code_model: Any) -> None:
    """Bring the list in; what is there already is left as the office has it."""
    shipped = json.loads(DATA.read_text(encoding="utf-8"))
    titles = {f"title_{column}": text for column, text in shipped["title"].items()}
    code_list_model.objects.get_or_create(
        id=shipped["id"], defaults={**titles, "note": shipped["note"], "is_multi_value": True}
    )
    known = set(code_model.objects.filter(code_list_id=shipped["id"]).values_list("code", flat=True))
    code_model.objects.bulk_create(
        code_model(
            code_list_id=shipped["id"], code=code, label_sq=sq, label_sr=sr, label_en=en, position=number, is_draft=True
        )
        for number, (code, sq, sr, en) in enumerate(shipped["values"], 1)
        if code not in known
    )
