"""Files of cases as tests bring them in: a few rows written by hand, and realistic ones of any length made by chance."""

from __future__ import annotations

import csv
import io
import random
from datetime import date, timedelta
from typing import Any

from nrm.imports.columns import COLUMNS

FORMS = ("SEX", "SEX_PROST", "LAB", "BEG", "DOM", "MARR", "CRIM")
ENTITIES = ("E_POLICE", "E_BORDER", "E_CSW", "E_NGO", "E_HOTLINE", "E_SELF", "E_LABOUR")
PLACES = ("PRN", "PRZ", "FER", "GJI", "GJA", "PEJ")


def as_file(*rows: dict[str, Any], columns: list[str] | None = None) -> io.BytesIO:
    """A CSV of the rows; what a row does not say is empty. Only the columns that some row has, unless told."""
    names = columns or [name for name in COLUMNS if any(name in row for row in rows)]
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, names, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return io.BytesIO(out.getvalue().encode())


def realistic(count: int, seed: int, today: date, years: int = 4) -> list[dict[str, Any]]:
    """Rows as an office would have them: persons who come again, twins, duplicates, lists, refused help, absent values."""
    rng = random.Random(f"{seed} cases")
    rows: list[dict[str, Any]] = []
    first = today - timedelta(days=365 * years)
    for number in range(count):
        referred = first + timedelta(days=rng.randrange(365 * years - 400))
        row: dict[str, Any] = {"case_ref": f"{seed}-{number:06d}", "referred_on": _written(referred, rng)}
        row |= _profile(rng)
        if rows and rng.random() < 0.05:
            earlier = rng.choice(rows[-50:])
            row["person_ref"] = earlier.setdefault("person_ref", f"P{number}")
        if rows and rng.random() < 0.02:
            row |= {
                "merge_into": rng.choice(rows)["case_ref"],
                "merge_kind": rng.choice(["duplicate_record", "same_person"]),
            }
        _procedure(row, referred, rng)
        rows.append(row)
    return rows


def _written(day: date, rng: random.Random) -> str:
    return rng.choice(
        [
            day.isoformat(), f"{day:%d.%m.%Y}", f"{day:%d/%m/%Y}", f"{day.day}.{day.month}.{day:%y}",
            str((day - date(1899, 12, 30)).days),
        ]
    )  # fmt: skip


def _profile(rng: random.Random) -> dict[str, Any]:
    age = rng.choice([None, *range(8, 50)])
    forms = rng.sample(FORMS, rng.choice([1, 1, 1, 2]))
    return {
        "referring_entity": rng.choice(ENTITIES),
        "referring_institution": rng.choice(["", "KP-THB", "CSW", "PVPT"]),
        "municipality": rng.choice([*PLACES, ""]),
        "sex": rng.choice(["F", "F", "F", "M", "femër", "Muško", "U", "NA_UNKNOWN"]),
        "age_at_referral": "" if age is None else age,
        "age_group_at_referral": rng.choice(["CHILD", "ADULT", "AGE_U"]) if age is None else "",
        "citizenship": rng.choice(["XK", "XK", "XK;AL", "AL", "RS", "MD", "STATELESS", ""]),
        "forms": ";".join(forms),
        "labour_sector": rng.choice(["ISIC_A", "ISIC_F", "ISIC_I"]) if "LAB" in forms else "NA_NOTAPP",
        "recruitment_methods": rng.choice(["R_WORKOFFER", "R_ROMANCE;R_SOCIALNET", "R_FAMILY", ""]),
        "means_of_control": rng.choice(["C_DEBT;C_DOCS", "C_THREAT", "C_PSY;C_PHYS;C_MOVE", "NA_REFUSED", ""]),
        "recruiter_relations": rng.choice(["REL_PARTNER", "REL_FAM", "REL_STRANGER", ""]),
        "geography": rng.choice(["GEO_INT", "GEO_IN", "GEO_U", ""]),
    }


def _procedure(row: dict[str, Any], referred: date, rng: random.Random) -> None:
    day = referred + timedelta(days=rng.randrange(5))
    row |= {"risk_level": rng.choice(["RISK_LOW", "RISK_MED", "I lartë"]), "risk_on": _written(day, rng)}
    if rng.random() < 0.85:
        day += timedelta(days=rng.randrange(10))
        outcome = "D1_POS" if rng.random() < 0.8 else "D1_NEG"
        row |= {"preliminary_outcome": outcome, "preliminary_on": _written(day, rng)}
        row |= {"decision_maker": "DM_TEAM", "age_group_at_decision": rng.choice(["ADULT", "CHILD", ""])}
        if outcome == "D1_POS":
            row["reflection_start"] = _written(day + timedelta(days=1), rng)
            row["shelter"] = f"SH_NGO:{_written(day, rng)}:{_written(day + timedelta(days=rng.randrange(1, 90)), rng)}"
            day += timedelta(days=rng.randrange(5, 60))
            chance = rng.random()
            if chance < 0.6:
                row |= {"formal_outcome": "D2_POS" if chance < 0.45 else "D2_NEG", "formal_on": _written(day, rng)}
                if rng.random() < 0.1:
                    review = "D_RECON_NEG" if row["formal_outcome"] == "D2_POS" else "D_RECON_POS"
                    row |= {"review_outcome": review, "review_on": _written(day + timedelta(days=40), rng)}
            elif chance < 0.7:
                row["declined_identification_on"] = _written(day, rng)
            elif chance < 0.75:
                row["discontinued_on"] = _written(day, rng)
    spells = [
        f"{rng.choice(['AS_MED', 'AS_PSY', 'AS_LEGAL'])}:{rng.choice(['RESP_ACC', 'RESP_ACC', 'RESP_REF'])}:{_written(day, rng)}:"
        for _ in range(rng.randrange(3))
    ]
    row["assistance"] = ";".join(
        spell + (_written(day + timedelta(days=30), rng) if "RESP_ACC" in spell and rng.random() < 0.5 else "")
        for spell in spells
    )
    if rng.random() < 0.1:
        row |= {"return_outcome": "RT_VOL", "return_on": _written(day + timedelta(days=60), rng)}
    if rng.random() < 0.6:
        row["closed_on"] = _written(day + timedelta(days=150), rng)
