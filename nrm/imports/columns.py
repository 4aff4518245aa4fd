"""The columns of a file of cases (data_dictionary.md, section 4)."""

from __future__ import annotations

from nrm.imports.words import folded

DATES = (
    "referred_on preliminary_on formal_on review_on declined_identification_on discontinued_on risk_on reflection_start "
    "reflection_waived_on return_on closed_on"
).split()
AGES = ("age_at_referral", "age_at_exploitation")
# column → list of codes
CODES = {
    "merge_kind": "merge_kind",
    "referring_entity": "referring_entity",
    "referring_institution": "institution",
    "municipality": "municipality",
    "sex": "sex",
    "age_group_at_referral": "age_group",
    "age_group_at_exploitation": "age_group",
    "geography": "geography",
    "preliminary_outcome": "decision_outcome",
    "formal_outcome": "decision_outcome",
    "review_outcome": "decision_outcome",
    "decision_maker": "decision_maker",
    "age_group_at_decision": "age_group",
    "risk_level": "risk_level",
    "return_outcome": "return_outcome",
}
LISTS = {
    "citizenship": "citizenship",
    "forms": "exploitation",
    "labour_sector": "labour_sector",
    "recruitment_methods": "recruitment_method",
    "means_of_control": "means_of_control",
    "recruiter_relations": "recruiter_relation",
}
SPELLS = ("assistance", "shelter")
TEXTS = ("case_ref", "person_ref", "merge_into")
REQUIRED = ("case_ref", "referred_on")
COLUMNS = (
    "case_ref person_ref merge_into merge_kind referred_on referring_entity referring_institution municipality sex "
    "age_at_referral age_group_at_referral age_at_exploitation age_group_at_exploitation citizenship forms labour_sector "
    "recruitment_methods means_of_control recruiter_relations geography preliminary_outcome preliminary_on formal_outcome "
    "formal_on decision_maker age_group_at_decision review_outcome review_on declined_identification_on discontinued_on "
    "risk_level risk_on reflection_start reflection_waived_on assistance shelter return_outcome return_on closed_on"
).split()
# Of these the reason of an absence is kept beside the case.
WITH_REASON = (
    "referring_entity municipality sex age_at_referral age_group_at_referral age_at_exploitation "
    "age_group_at_exploitation citizenship forms labour_sector recruitment_methods means_of_control recruiter_relations "
    "geography decision_maker age_group_at_decision"
).split()

IDENTITY_WORDS = frozenset(
    "name names surname forename firstname lastname fullname maiden emri emrat emer mbiemri mbiemer ime imena prezime "
    "jmbg passport pasaporta pasos leternjoftimi personal datelindja ditelindja rodjenja rodenja telephone phone telefon "
    "telefoni address adresa email dob idcard victimname personname "
    "clientname nickname име имена презиме јмбг пасош рођења телефон адреса".split()
)
IDENTITY_STARTS = ("birth", "document", "dokument", "документ")
# What people write together: dateofbirth, victimname, phonenumber, nrpersonal, datumrodjenja.
IDENTITY_PARTS = "birth surname forename passport phone telefon personal lindj mbiemr prezime rodjenj рођењ".split()


def is_identity(header: str) -> bool:
    """Whether a column that is not ours names a person: name, surname, emri, mbiemri, ime, prezime, birth…, document…"""
    words = "".join(sign if sign.isalnum() else " " for sign in folded(header)).split()
    return any(
        word in IDENTITY_WORDS or word.startswith(IDENTITY_STARTS) or any(part in word for part in IDENTITY_PARTS)
        for word in words
    )
