"""The topics of trainings: a code list that ships with the application and is kept by the office from then on."""

from __future__ import annotations

from typing import Any

LIST = "training_topic"
TITLE = ("Temat e trajnimeve", "Teme obuka", "Topics of trainings")
TOPICS = [
    ("T_BASICS", "Trafikimi me njerëz: kuptimi dhe ligji", "Trgovina ljudima: pojam i zakon", "Trafficking in human beings: concept and law"),
    ("T_INDICATORS", "Treguesit dhe identifikimi fillestar", "Pokazatelji i početna identifikacija", "Indicators and first identification"),
    ("T_REFERRAL", "Referimi dhe Procedurat Standarde të Veprimit", "Upućivanje i Standardne operativne procedure", "Referral and the Standard Operating Procedures"),
    ("T_CHILD", "Fëmijët viktima", "Deca žrtve", "Child victims"),
    ("T_INTERVIEW", "Intervistimi me kujdes ndaj traumës", "Razgovor sa osećajem za traumu", "Interviewing with regard to trauma"),
    ("T_RISK", "Vlerësimi i rrezikut dhe siguria", "Procena rizika i bezbednost", "Risk assessment and safety"),
    ("T_ASSIST", "Asistenca, strehimi dhe riintegrimi", "Pomoć, smeštaj i reintegracija", "Assistance, shelter and reintegration"),
    ("T_LABOUR", "Puna e detyruar dhe inspektimet", "Prinudni rad i inspekcije", "Forced labour and inspections"),
    ("T_BEGGING", "Lypja e detyruar", "Prinudno prosjačenje", "Forced begging"),
    ("T_ONLINE", "Rekrutimi dhe shfrytëzimi në internet", "Regrutovanje i eksploatacija na internetu", "Recruitment and exploitation online"),
    ("T_EVIDENCE", "Hetimi, provat dhe paratë", "Istraga, dokazi i novac", "Investigation, evidence and money"),
    ("T_COURT", "Të drejtat e viktimave në procedurë dhe kompensimi", "Prava žrtava u postupku i naknada štete", "Victims' rights in proceedings, and compensation"),
    ("T_CROSS", "Bashkëpunimi ndërkufitar dhe kthimi", "Prekogranična saradnja i povratak", "Cross-border cooperation and return"),
    ("T_DATA", "Mbrojtja e të dhënave dhe regjistrimi", "Zaštita podataka i evidencija", "Data protection and recording"),
    ("T_TEACH", "Mësimdhënia për të rritur: për trajnerë", "Rad sa odraslima: za trenere", "Teaching adults: for trainers"),
]  # fmt: skip


def load(code_list_model: Any, code_model: Any) -> None:
    """Bring the topics in; what is there already stays as the office has it."""
    code_list, _new = code_list_model.objects.get_or_create(
        pk=LIST, defaults=dict(zip(("title_sq", "title_sr", "title_en"), TITLE, strict=True))
    )
    known = set(code_model.objects.filter(code_list=code_list).values_list("code", flat=True))
    code_model.objects.bulk_create(
        code_model(code_list=code_list, code=name, label_sq=sq, label_sr=sr, label_en=en, position=place)
        for place, (name, sq, sr, en) in enumerate(TOPICS, 1)
        if name not in known
    )
