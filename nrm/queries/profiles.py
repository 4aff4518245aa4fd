"""What a profile may say: the codes that are offered, in the reader's language."""

from __future__ import annotations

from collections.abc import Collection

from nrm.queries.cases import LANGUAGES, PROFILE_LISTS
from onatc.models import Municipality
from onatc.texts import SortKey
from onatc.vocabulary import Code
from stakeholders.models import Country

Choices = list[tuple[str, str]]

NOT_A_COUNTRY = ("ISO3166",)  # stands in the list for all countries of ISO 3166


def offered(held: Collection[str] = ()) -> dict[str, Choices]:
    """Field → choices, in three queries. A retired code is offered only where the record in hand has it (`held`)."""
    wanted = {one for one in PROFILE_LISTS.values() if one} | {"missing_reason", "vulnerability", "referring_entity"}
    by_list: dict[str, Choices] = {one: [] for one in wanted}
    codes = Code.objects.of("sex")
    for one in wanted - {"sex"}:
        codes = codes | Code.objects.of(one)
    codes = codes | Code.objects.filter(code_list__in=wanted, code__in=list(held))
    for code in codes.order_by("code_list", "position", "code").distinct():
        if code.code not in NOT_A_COUNTRY:
            by_list[code.code_list_id].append((code.code, str(code.label)))
    countries = [(one.pk, str(one.name)) for one in Country.objects.order_by(SortKey("name"))]
    # Kosovo stands in the list of citizenships and among the countries; it is offered once, on top.
    other = [one for one in by_list["citizenship"] if one[0] not in dict(countries)]
    own = [one for one in countries if one[0] == "XK"]
    abroad = [one for one in countries if one[0] != "XK"]
    found = {name: by_list[one] for name, one in PROFILE_LISTS.items() if one}
    found |= {name: own + abroad for name, one in PROFILE_LISTS.items() if not one}
    found["citizenship"] = own + other + abroad
    found["municipality"] = [(one.pk, str(one.name)) for one in Municipality.objects.order_by(SortKey("name"))]
    found["vulnerabilities"], found["missing"] = by_list["vulnerability"], by_list["missing_reason"]
    found["referring_entity"] = by_list["referring_entity"]
    found["needs_interpreter"] = [(code, str(label)) for code, label in LANGUAGES]
    return found
