"""The list of vulnerability marks that ships; the office keeps it from then on. No diagnosis, no ethnicity (section 1, rule 9)."""

from __future__ import annotations

from typing import Any

LIST = "vulnerability"
TITLE = ("Shenja të cenueshmërisë", "Znaci ranjivosti", "Vulnerability marks")
CODES = (
    ("VU_DISAB", "Me aftësi të kufizuar", "Osoba sa invaliditetom", "Person with a disability"),
    ("VU_PREG", "Shtatzënë", "Trudna", "Pregnant"),
    ("VU_CHILDREN", "Me fëmijë të vet", "Sa sopstvenom decom", "With children of their own"),
    ("VU_UNACC", "Fëmijë pa përcjellje", "Dete bez pratnje", "Unaccompanied child"),
    ("VU_CARE", "Pa kujdes prindëror", "Bez roditeljskog staranja", "Without parental care"),
    ("VU_SCHOOL", "Jashtë shkollës", "Van škole", "Out of school"),
    ("VU_NODOC", "Pa dokumente", "Bez dokumenata", "Without documents"),
    ("VU_ASYLUM", "Kërkues azili", "Tražilac azila", "Asylum seeker"),
    ("VU_RETURNED", "Kthyer nga jashtë", "Vraćen iz inostranstva", "Returned from abroad"),
    ("VU_HOMELESS", "Pa strehë", "Beskućnik", "Homeless"),
    ("VU_VIOLENCE", "Viktimë e dhunës në familje", "Žrtva nasilja u porodici", "Survivor of domestic violence"),
    ("VU_POVERTY", "Varfëri e skajshme", "Krajnje siromaštvo", "Extreme poverty"),
)


def load(get_model: Any) -> None:
    """Bring the list in; what is there already is left as the office has it."""
    code_list, _new = get_model("CodeList").objects.get_or_create(
        pk=LIST,
        defaults={"is_multi_value": True, **dict(zip(("title_sq", "title_sr", "title_en"), TITLE, strict=True))},
    )
    for position, (code, sq, sr, en) in enumerate(CODES, 1):
        get_model("Code").objects.get_or_create(
            code_list=code_list,
            code=code,
            defaults={"label_sq": sq, "label_sr": sr, "label_en": en, "position": position, "is_draft": True},
        )
