"""Legal acts with the office's inputs, studies, best practices and trends of the demonstration.

All of it is made up: titles say so where a real body's document could be meant. Days are counted back from today.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

from monitoring.demo.progress import moment
from onatc.texts import COLUMNS
from stakeholders.models import Institution, User
from strategy.actions.legal import due_day
from strategy.models import (
    LegalAct,
    LegalInput,
    LegalStage,
    Measure,
    Plan,
    PlanVersion,
    Practice,
    RecommendedMeasure,
    Study,
    StudyPartner,
    StudyRecommendation,
    StudyStep,
    Trend,
)

Texts = tuple[str, str, str]  # Albanian, Serbian, English


def _texts(name: str, texts: Texts) -> dict[str, str]:
    return {f"{name}_{column}": text for column, text in zip(COLUMNS, texts, strict=True)}


# kind, body in charge, title, why it matters, stages with the days ago
ACTS: list[tuple[str, str, Texts, Texts, list[tuple[str, int]]]] = [
    ("law", "MOJ",
     ("Projektligji për kompensimin e viktimave të krimit (demonstrim)", "Nacrt zakona o naknadi žrtvama krivičnih dela (demonstracija)", "Draft Law on the Compensation of Crime Victims (demonstration)"),
     ("Viktimat e trafikimit e marrin rrallë kompensimin; afati dhe prova janë pengesat kryesore.", "Žrtve trgovine ljudima retko dobijaju naknadu; rok i dokazi su glavne prepreke.", "Victims of trafficking seldom receive compensation; the time limit and the proof are the main obstacles."),
     [("concept", 420), ("drafting", 300), ("consultation", 120), ("government", 40)]),
    ("law", "MIA",
     ("Ndryshimet e Ligjit për parandalimin e trafikimit (demonstrim)", "Izmene Zakona o sprečavanju trgovine ljudima (demonstracija)", "Amendments to the Law on Preventing Trafficking (demonstration)"),
     ("Periudha e reflektimit dhe mosndëshkimi i viktimave duhet të thuhen qartë.", "Period oporavka i nekažnjavanje žrtava treba jasno da se odrede.", "The reflection period and the non-punishment of victims should be stated clearly."),
     [("concept", 200), ("drafting", 90)]),
    ("instruction", "MFLT",
     ("Udhëzim administrativ për standardet e strehimoreve (demonstrim)", "Administrativno uputstvo o standardima skloništa (demonstracija)", "Administrative Instruction on Standards of Shelters (demonstration)"),
     ("Licencimi dhe financimi i strehimoreve varen nga këto standarde.", "Licenciranje i finansiranje skloništa zavise od ovih standarda.", "The licensing and financing of shelters depend on these standards."),
     [("drafting", 350), ("consultation", 220), ("signed", 60), ("published", 45)]),
    ("instruction", "MOH",
     ("Udhëzim për kujdesin shëndetësor të viktimave pa sigurim (demonstrim)", "Uputstvo o zdravstvenoj zaštiti žrtava bez osiguranja (demonstracija)", "Instruction on Health Care for Victims without Insurance (demonstration)"),
     ("Pa të, ndihma e parë mjekësore paguhet nga strehimoret.", "Bez njega skloništa plaćaju prvu medicinsku pomoć.", "Without it shelters pay for first medical aid."),
     [("drafting", 75)]),
    ("regulation", "MIA",
     ("Rregullore për lejet e qëndrimit të viktimave (demonstrim)", "Uredba o boravišnim dozvolama žrtava (demonstracija)", "Regulation on Residence Permits of Victims (demonstration)"),
     ("Leja nuk duhet të varet nga bashkëpunimi me hetimin.", "Dozvola ne sme da zavisi od saradnje u istrazi.", "The permit should not depend on cooperation with the investigation."),
     [("concept", 150), ("drafting", 110), ("consultation", 25)]),
    ("decision", "NATC",
     ("Vendim për anëtarët e Autoritetit Kombëtar (demonstrim)", "Odluka o članovima Nacionalnog organa (demonstracija)", "Decision on the Members of the National Authority (demonstration)"),
     ("Përfshin Inspektoratin e Punës si anëtar të përhershëm.", "Uključuje Inspektorat rada kao stalnog člana.", "It makes the Labour Inspectorate a permanent member."),
     [("drafting", 130), ("government", 100), ("signed", 85), ("published", 80)]),
    ("law", "MOJ",
     ("Plotësimi i Kodit të Procedurës Penale për dëshmitarët fëmijë (demonstrim)", "", "Supplement to the Criminal Procedure Code on Child Witnesses (demonstration)"),
     ("Fëmija dëgjohet një herë, me regjistrim.", "", "A child is heard once, and recorded."),
     [("concept", 260), ("withdrawn", 180)]),
    ("instruction", "LI",
     ("Udhëzim për inspektimet në bujqësi dhe ndërtimtari (demonstrim)", "Uputstvo o inspekcijama u poljoprivredi i građevinarstvu (demonstracija)", "Instruction on Inspections in Agriculture and Construction (demonstration)"),
     ("Shenjat e punës së detyruar hyjnë në listën e inspektimit.", "Znaci prinudnog rada ulaze u listu za inspekciju.", "Signs of forced labour enter the inspection list."),
     [("concept", 60), ("drafting", 30)]),
    ("law", "MFLT",
     ("Projektligji për agjencitë e punësimit (demonstrim)", "Nacrt zakona o agencijama za zapošljavanje (demonstracija)", "Draft Law on Employment Agencies (demonstration)"),
     ("Ndalon tarifat që u merren punëkërkuesve.", "Zabranjuje naknade od tražilaca posla.", "It forbids fees taken from job seekers."),
     [("drafting", 400), ("government", 210), ("assembly", 90)]),
    ("other", "SPO",
     ("Udhëzues i prokurorisë për mosndëshkimin e viktimave (demonstrim)", "Smernice tužilaštva o nekažnjavanju žrtava (demonstracija)", "Prosecution Guidelines on the Non-Punishment of Victims (demonstration)"),
     ("Zbatimi është i ndryshëm nga prokuroria në prokurori.", "Primena se razlikuje od tužilaštva do tužilaštva.", "Practice differs from one prosecution office to another."),
     [("concept", 20)]),
]  # fmt: skip

# act, kind, asked by, asked so many days ago, question, answer, language, state, sent days ago, outcome
INPUTS: list[tuple[int, str, str, int, str, str, str, str, int | None, str]] = [
    (0, "expertise", "MOJ", 118, "A mjafton afati gjashtëmujor për kërkesën e kompensimit?", "Jo. Propozojmë që afati të rrjedhë nga fundi i periudhës së reflektimit dhe të zgjatet për fëmijët.", "sq", "sent", 104, "taken_over"),
    (0, "information", "MOJ", 95, "Sa viktima kërkuan kompensim në tri vitet e fundit?", "Numrat janë dhënë sipas vitit dhe gjinisë, pa asnjë të dhënë që tregon një person.", "sq", "sent", 88, "taken_over"),
    (0, "recommendation", "MOJ", 36, "Cilat prova duhet të kërkohen nga viktima?", "Vendimi i identifikimit duhet të mjaftojë si provë e statusit.", "sq", "sent", 12, "unknown"),
    (1, "expertise", "MIA", 80, "A duhet të rregullohet mosndëshkimi në ligj apo në udhëzues?", "Në ligj, me listë jo shteruese të veprave; udhëzuesi i prokurorisë e plotëson.", "sq", "sent", 70, "partly"),
    (1, "input", "MIA", 26, "Përkufizimi i punës së detyruar: çfarë mungon?", "Projekti nuk përmend mbajtjen e dokumenteve dhe borxhin si mjete të detyrimit.", "sq", "submitted", None, "unknown"),
    (2, "input", "MFLT", 215, "Standardet minimale për strehimoret: mendimi i Zyrës.", "Të shtohen dhoma për familje dhe qasja për persona me aftësi të kufizuara.", "sq", "sent", 203, "taken_over"),
    (2, "recommendation", "MFLT", 190, "A duhet të jetë licencimi kusht për financim?", "Po, me periudhë kalimtare njëvjeçare.", "sq", "sent", 171, "not_taken_over"),
    (3, "information", "MOH", 40, "Sa viktima u trajtuan pa sigurim shëndetësor?", "", "sq", "draft", None, "unknown"),
    (4, "expertise", "MIA", 24, "A është kushtëzimi i lejes me bashkëpunimin në pajtim me Konventën?", "Konventa lejon edhe lejen për shkak të gjendjes personale; propozojmë të dyja mundësitë.", "sq", "approved", None, "unknown"),
    (5, "input", "NATC", 125, "Përbërja e Autoritetit Kombëtar.", "Të shtohet Inspektorati i Punës dhe një përfaqësues i shoqërisë civile.", "sq", "sent", 120, "taken_over"),
    (6, "recommendation", "KJC", 240, "Koje mere su potrebne za saslušanje dece?", "Jedno saslušanje, uz snimanje i prisustvo psihologa.", "sr-latn", "sent", 228, "unknown"),
    (7, "expertise", "LI", 22, "Cilat shenja të punës së detyruar hyjnë në listën e inspektimit?", "Lista e propozuar me dymbëdhjetë shenja është bashkëngjitur letrës.", "sq", "draft", None, "unknown"),
    (8, "input", "MFLT", 205, "Mendim për ndalimin e tarifave.", "Ndalimi duhet të vlejë edhe për ndërmjetësit jashtë vendit.", "sq", "sent", 195, "partly"),
    (9, "information", "SPO", 6, "Praktika krahasuese për mosndëshkimin.", "", "sq", "draft", None, "unknown"),
]  # fmt: skip

# kind, topic, title, state, question, funder, partners, findings, recommendations (text, state, measure code)
STUDIES: list[tuple[str, str, Texts, str, str, str, list[str], Texts, list[tuple[Texts, str, str]]]] = [
    ("study", "children",
     ("Lypja e fëmijëve dhe shfrytëzimi (demonstrim)", "Prosjačenje dece i eksploatacija (demonstracija)", "Child Begging and Exploitation (demonstration)"),
     "done", "Në cilat forma shfrytëzohen fëmijët që lypin, dhe kush mund t'i vërejë herët?", "UNICEF", ["CSW", "KP-THB"],
     ("Tri forma u gjetën: familjare, e organizuar dhe sezonale. Shkolla i sheh e para mungesat.", "Nađena su tri oblika: porodični, organizovani i sezonski. Škola prva primećuje izostanke.", "Three forms were found: by the family, organised, and seasonal. The school is the first to see absences."),
     [(("Shkollat të lajmërojnë qendrën për punë sociale pas dhjetë ditë mungese.", "Škole da obaveste centar za socijalni rad posle deset dana izostanka.", "Schools should tell the centre for social work after ten days of absence."), "taken_up", "M1.2.3"),
      (("Ekipe të përbashkëta në muajt e verës.", "Zajednički timovi u letnjim mesecima.", "Joint teams in the summer months."), "done", "M2.1.1"),
      (("Regjistër i veçantë për fëmijët që lypin.", "Poseban registar za decu koja prosjače.", "A separate register of begging children."), "rejected", "")]),
    ("evaluation", "reintegration",
     ("Vlerësimi i programeve të riintegrimit (demonstrim)", "Evaluacija programa reintegracije (demonstracija)", "Evaluation of Reintegration Programmes (demonstration)"),
     "done", "Sa viktima janë në punë ose shkollim një vit pas largimit nga strehimorja?", "", ["EA", "MFLT"],
     ("Gjysma e pjesëmarrësve janë në punë ose shkollim; banimi është pengesa më e shpeshtë.", "Polovina učesnika radi ili se školuje; stanovanje je najčešća prepreka.", "Half of the participants work or study; housing is the most frequent obstacle."),
     [(("Subvencion i banimit për dymbëdhjetë muaj.", "Subvencija za stanovanje za dvanaest meseci.", "A housing subsidy for twelve months."), "open", "M2.2.1"),
      (("Mentor për secilin person.", "Mentor za svaku osobu.", "A mentor for each person."), "open", "")]),
    ("survey", "labour",
     ("Anketë me punëtorë sezonalë në bujqësi (demonstrim)", "Anketa sezonskih radnika u poljoprivredi (demonstracija)", "Survey of Seasonal Workers in Agriculture (demonstration)"),
     "under_way", "Cilat kushte të punës i raportojnë punëtorët sezonalë, dhe si u rekrutuan?", "IOM", ["LI"], ("", "", ""), []),
    ("assessment", "identification",
     ("Vlerësim i identifikimit në pikat kufitare (demonstrim)", "", "Assessment of Identification at Border Points (demonstration)"),
     "under_way", "A përdoren treguesit në pikat kufitare, dhe çfarë ndodh pas dyshimit?", "OSCE", ["KP-BP"], ("", "", ""), []),
    ("study", "prosecution",
     ("Dënimet në lëndët e trafikimit (demonstrim)", "Kazne u predmetima trgovine ljudima (demonstracija)", "Sentencing in Trafficking Cases (demonstration)"),
     "approved", "Si arsyetohen dënimet nën minimumin ligjor?", "", ["KJC", "SPO"], ("", "", ""), []),
    ("survey", "prevention",
     ("Anketë mbi njohuritë e nxënësve (demonstrim)", "Anketa o znanju učenika (demonstracija)", "Survey on What Pupils Know (demonstration)"),
     "proposed", "Çfarë dinë nxënësit e klasave 9 deri 12 për rrezikun në internet?", "", [], ("", "", ""), []),
    ("assessment", "data",
     ("Vlerësim i cilësisë së të dhënave (demonstrim)", "Procena kvaliteta podataka (demonstracija)", "Assessment of the Quality of Data (demonstration)"),
     "proposed", "Ku ndryshojnë numrat e institucioneve për të njëjtën periudhë?", "", [], ("", "", ""), []),
    ("study", "coordination",
     ("Kostoja e asistencës për një viktimë (demonstrim)", "Troškovi pomoći po žrtvi (demonstracija)", "The Cost of Assisting One Victim (demonstration)"),
     "dropped", "Sa kushton asistenca nga referimi deri te riintegrimi?", "", ["MFLT"], ("", "", ""), []),
]  # fmt: skip
# how many days ago a study was proposed, approved, begun, done or dropped
STUDY_DAYS = {"proposed": 25, "approved": 60, "under_way": 150, "done": 420, "dropped": 200}

# topic, place, evidence, title, what was done, why it worked, how it could be used here, measure, published
PRACTICES: list[tuple[str, str, str, Texts, Texts, Texts, Texts, str, bool]] = [
    ("identification", "Shqipëri", "described", ("Ekipe të lëvizshme për identifikim", "Mobilni timovi za identifikaciju", "Mobile teams for identification"),
     ("Ekipe me punonjës social, polic dhe shoqatë dalin çdo javë në terren.", "Timovi sa socijalnim radnikom, policajcem i udruženjem svake nedelje izlaze na teren.", "Teams of a social worker, a police officer and an association go out every week."),
     ("Njerëzit i njohin fytyrat dhe kanë besim.", "Ljudi poznaju lica i imaju poverenja.", "People know the faces and trust them."),
     ("Në tri komuna me lypje sezonale.", "U tri opštine sa sezonskim prosjačenjem.", "In three municipalities with seasonal begging."), "M2.1.1", True),
    ("protection", "Itali", "evaluated", ("Banim i mbështetur pas strehimores", "Podržano stanovanje posle skloništa", "Supported housing after the shelter"),
     ("Banesa të vogla me vizita javore, deri në një vit.", "Mali stanovi sa nedeljnim posetama, do godinu dana.", "Small flats with weekly visits, for up to a year."),
     ("Kalimi është i ngadalshëm dhe i planifikuar.", "Prelaz je postepen i planiran.", "The passage is slow and planned."),
     ("Me komunat që kanë banim social.", "Sa opštinama koje imaju socijalno stanovanje.", "With municipalities that have social housing."), "M2.2.1", True),
    ("prosecution", "Holandë", "monitored", ("Hetime financiare nga dita e parë", "Finansijske istrage od prvog dana", "Financial investigation from the first day"),
     ("Çdo hetim ka një hetues financiar.", "Svaka istraga ima finansijskog istražitelja.", "Each investigation has a financial investigator."),
     ("Prova nuk varet vetëm nga dëshmia e viktimës.", "Dokaz ne zavisi samo od iskaza žrtve.", "The proof does not rest on the victim's statement alone."),
     ("Marrëveshje mes policisë dhe njësisë financiare.", "Sporazum policije i finansijske jedinice.", "An agreement of police and financial unit."), "M3.1.1", True),
    ("prevention", "Prizren", "described", ("Teatër forum në shkolla", "Forum teatar u školama", "Forum theatre in schools"),
     ("Nxënësit luajnë një histori dhe e ndërpresin.", "Učenici glume priču i prekidaju je.", "Pupils play a story and interrupt it."),
     ("Provojnë vetë si të thonë jo.", "Sami isprobavaju kako da kažu ne.", "They try out how to say no."),
     ("Në klasat e nënta të të gjitha komunave.", "U devetim razredima svih opština.", "In the ninth grade in all municipalities."), "M1.2.3", True),
    ("labour", "Belgjikë", "monitored", ("Kontrolle të përbashkëta me prioritet sektorin", "Zajedničke kontrole po sektorima", "Joint inspections by sector"),
     ("Plan vjetor i përbashkët i tri inspektorateve.", "Zajednički godišnji plan tri inspektorata.", "A common yearly plan of three inspectorates."),
     ("Një vizitë në vend të tri; më pak ndikim mbi punën.", "Jedna poseta umesto tri; manje ometanja rada.", "One visit instead of three; less disturbance."),
     ("Bujqësi në verë, ndërtimtari në vjeshtë.", "Poljoprivreda leti, građevinarstvo u jesen.", "Agriculture in summer, construction in autumn."), "", True),
    ("children", "Suedi", "evaluated", ("Shtëpia e fëmijës: një dëgjim", "Dečja kuća: jedno saslušanje", "A children's house: one hearing"),
     ("Fëmija dëgjohet një herë, në një vend të përshtatur.", "Dete se saslušava jednom, na prilagođenom mestu.", "The child is heard once, in a place made for it."),
     ("Fëmija nuk e përsërit historinë.", "Dete ne ponavlja priču.", "The child does not repeat the story."),
     ("", "", ""), "", True),
    ("coordination", "Portugali", "described", ("Rrjete rajonale me takim mujor", "Regionalne mreže sa mesečnim sastankom", "Regional networks that meet monthly"),
     ("Pesë rrjete me një koordinator të paguar.", "Pet mreža sa plaćenim koordinatorom.", "Five networks, each with a paid coordinator."),
     ("Njerëzit e dinë kujt t'i telefonojnë.", "Ljudi znaju koga da pozovu.", "People know whom to call."),
     ("Me koordinatorët lokalë.", "Sa lokalnim koordinatorima.", "With the local coordinators."), "", False),
    ("reintegration", "Serbi", "described", ("Ndërmarrje sociale që punëson", "Socijalno preduzeće koje zapošljava", "A social enterprise that employs"),
     ("Kuzhinë me dhjetë vende pune.", "Kuhinja sa deset radnih mesta.", "A kitchen with ten jobs."),
     ("Punë e vërtetë me pagë, pa etiketë.", "Pravi posao sa platom, bez etikete.", "Real work with a wage, without a label."),
     ("", "", ""), "", False),
    ("data", "Kroaci", "monitored", ("Një shifër, një burim", "Jedna brojka, jedan izvor", "One figure, one source"),
     ("Fjalor i treguesve me burim të vetëm.", "Rečnik pokazatelja sa jednim izvorom.", "A dictionary of indicators with a single source."),
     ("Raportet ndërkombëtare nuk kundërshtojnë njëri-tjetrin.", "Međunarodni izveštaji nisu protivrečni.", "International reports do not contradict each other."),
     ("Fjalori i kësaj Zyre.", "Rečnik ove Kancelarije.", "The dictionary of this office."), "", True),
    ("identification", "Gjilan", "opinion", ("Pyetje të shkurtra në emergjencë", "Kratka pitanja u hitnoj pomoći", "Short questions in the emergency room"),
     ("Pesë pyetje që i bën infermierja.", "Pet pitanja koja postavlja medicinska sestra.", "Five questions that the nurse asks."),
     ("Bëhen vetëm për vetëm, pa formular.", "Postavljaju se nasamo, bez formulara.", "They are asked in private, without a form."),
     ("", "", ""), "", False),
    ("protection", "Austri", "evaluated", ("Përkthyese të trajnuara për trauma", "Prevoditeljke obučene za traumu", "Interpreters trained in trauma"),
     ("Listë e përkthyeseve me trajnim dyditor.", "Spisak prevoditeljki sa dvodnevnom obukom.", "A list of interpreters with two days of training."),
     ("Biseda e parë është më e qetë dhe më e saktë.", "Prvi razgovor je mirniji i tačniji.", "The first talk is calmer and more exact."),
     ("Me strehimoret dhe policinë.", "Sa skloništima i policijom.", "With shelters and police."), "", True),
    ("prevention", "Gjermani", "monitored", ("Këshillim i punëtorëve në gjuhën e tyre", "Savetovanje radnika na njihovom jeziku", "Advice for workers in their language"),
     ("Zyra këshillimi pranë sindikatave.", "Savetovališta pri sindikatima.", "Advice centres at the trade unions."),
     ("Punëtori pyet pa frikë për lejen.", "Radnik pita bez straha za dozvolu.", "A worker asks without fear for the permit."),
     ("Para nisjes, në agjencinë e punësimit.", "Pre odlaska, u agenciji za zapošljavanje.", "Before departure, at the employment agency."), "", False),
]  # fmt: skip

# topic, title, description, language, municipality, place, source kind, source, confidence, state, since days ago
TRENDS: list[tuple[str, Texts, str, str, str, str, str, str, str, str, int]] = [
    ("labour", ("Rekrutim përmes rrjeteve sociale", "Regrutovanje preko društvenih mreža", "Recruitment through social networks"), "Ofertat për punë sezonale vijnë me mesazhe; pagesa e rrugës bëhet borxh.", "sq", "", "gjithë Kosova", "report", "Raport i brendshëm i demonstrimit", "high", "confirmed", 300),
    ("children", ("Lypje sezonale në qytetet turistike", "Sezonsko prosjačenje u turističkim gradovima", "Seasonal begging in tourist towns"), "Më shumë fëmijë në verë, me grupe që lëvizin çdo javë.", "sq", "PRZ", "", "observation", "Vizitë në terren (demonstrim)", "medium", "confirmed", 160),
    ("identification", ("Më pak identifikime në kufi", "Manje identifikacija na granici", "Fewer identifications at the border"), "Numri bie për tre tremujorë; nuk dihet a është praktikë apo rrugë tjetër.", "sq", "", "pikat kufitare", "return", "Raportet tremujore (demonstrim)", "medium", "noted", 270),
    ("labour", ("Punëtorë nga vende të largëta në ndërtimtari", "Radnici iz dalekih zemalja u građevinarstvu", "Workers from far countries in construction"), "Dokumentet mbahen nga ndërmjetësi; kontratat nuk janë në gjuhën e tyre.", "sq", "PRN", "", "partner", "Bisedë me organizatë partnere (demonstrim)", "medium", "noted", 120),
    ("prosecution", ("Pagesa me kriptovaluta", "Plaćanje kriptovalutama", "Payment in crypto-currencies"), "Përmendet në dy hetime; ende pa gjykim.", "sq", "", "", "report", "Shënim i demonstrimit", "low", "not_confirmed", 200),
    ("prevention", ("Agjenci që ofrojnë punë në BE", "Agencije koje nude rad u EU", "Agencies that offer work in the EU"), "Oglasi bez adrese i dozvole; naplaćuju se naknade unapred.", "sr-latn", "", "sever Kosova", "media", "Pregled štampe (demonstracija)", "low", "noted", 60),
    ("protection", ("Qëndrim më i gjatë në strehimore", "Duži boravak u skloništu", "Longer stays in the shelter"), "Mesatarja u rrit; banimi pas daljes mungon.", "sq", "", "gjithë Kosova", "return", "Raportet e strehimoreve (demonstrim)", "high", "confirmed", 330),
    ("coordination", ("Referime me telefon pa formular", "Upućivanja telefonom bez obrasca", "Referrals by telephone without a form"), "Pas udhëzimit të ri nuk u vërejtën më.", "sq", "", "", "observation", "Shënim i Zyrës (demonstrim)", "medium", "over", 500),
]  # fmt: skip


def add_knowledge(plan: Plan, version: PlanVersion, people: dict[str, User], seed: int, today: date) -> None:
    """All of it; the same for the same seed and day."""
    chance = random.Random(f"knowledge-{seed}")
    bodies = {one.code: one for one in Institution.objects.all()}
    measures = {one.code: one for one in Measure.objects.filter(version=version)}

    def ago(days: int) -> date:
        """So many days ago, moved a little by the seed, on the same side of its neighbours."""
        return today - timedelta(days=days + (chance.randrange(0, 3) if days > 10 else 0))

    _legal(people, bodies, ago, today)
    _studies(people, bodies, measures, ago)
    _practices(people, measures, ago)
    _trends(people, ago)


def _legal(people: dict[str, User], bodies: dict[str, Institution], ago: Any, today: date) -> None:
    planning, director = people["planning@onatc.example"], people["director@onatc.example"]
    acts = []
    for number, (kind, lead, title, basis, stages) in enumerate(ACTS, 1):
        days = sorted(ago(days) for _stage, days in stages)
        stage = stages[-1][0]
        gazette = {}
        if stage == "published":
            gazette = {
                "gazette": f"Demonstrim, nr. {number}",
                "number": f"Demo-{number:02d}",
                "published_on": days[-1],
                "in_force_on": days[-1] + timedelta(days=15),
            }
        act = LegalAct.objects.create(
            kind=kind, lead=bodies[lead], stage=stage, created_by=planning, **gazette, **_texts("title", title),
            **_texts("basis", basis),
        )  # fmt: skip
        for (reached, _days), day in zip(stages, days, strict=True):
            LegalStage.objects.create(act=act, stage=reached, on=day, by=planning)
        acts.append(act)
    for number, (place, kind, body, asked, question, answer, language, state, sent, outcome) in enumerate(INPUTS, 1):
        asked_on = today - timedelta(days=asked)
        fields: dict[str, Any] = {}
        if state in ("approved", "sent"):
            approved_on = today - timedelta(days=(sent or 2) + 1)
            fields |= {"approved_by": director, "approved_at": moment(max(asked_on, approved_on), 14)}
        if sent is not None:
            sent_on = today - timedelta(days=sent)
            fields |= {"sent_on": sent_on, "sent_by": planning, "reference": f"Demo {number}/{sent_on.year}"}
            if outcome != "unknown":
                fields |= {"outcome": outcome, "outcome_on": min(today, sent_on + timedelta(days=20))}
        LegalInput.objects.create(
            act=acts[place], kind=kind, asked_by=bodies[body], contact="Departamenti ligjor", asked_on=asked_on,
            due_on=due_day(asked_on), question=question, answer=answer, language=language, answer_language=language,
            state=state, author=planning, **fields,
        )  # fmt: skip


def _studies(people: dict[str, User], bodies: dict[str, Institution], measures: dict[str, Measure], ago: Any) -> None:
    author, director = people["monitoring@onatc.example"], people["director@onatc.example"]
    for kind, topic, title, state, question, funder, partners, findings, advice in STUDIES:
        begin = STUDY_DAYS[state]
        steps = {
            "proposed": ["proposed"],
            "dropped": ["proposed", "approved", "dropped"],
        }.get(state) or ["proposed", "approved", "under_way", "done"][
            : ["approved", "under_way", "done"].index(state) + 2
        ]
        days = {
            one: ago(begin - 40 * number if begin > 130 else begin - 12 * number) for number, one in enumerate(steps)
        }
        fields: dict[str, Any] = {}
        if state in ("under_way", "done"):
            fields |= {
                "method": "Biseda të strukturuara, analizë e dokumenteve dhe një punëtori e përbashkët.",
                "ethics": "Pëlqim i informuar, pa emra dhe pa incizime; me fëmijë flet vetëm psikologu.",
                "ethics_by": "Bordi etik i demonstrimit",
                "ethics_on": days["approved"],
                "started_on": days["under_way"],
            }
        if state == "done":
            fields |= {"ended_on": days["done"]}
            if kind == "study":
                fields |= {"published_on": days["done"] + timedelta(days=10)}
        study = Study.objects.create(
            kind=kind, topic=topic, state=state, question=question, funder=bodies.get(funder), author=author,
            funder_name="" if funder in bodies else "Donator i demonstrimit" if state != "proposed" else "",
            planned_start=ago(begin - 70), planned_end=ago(begin - 70) + timedelta(days=150), **fields,
            **_texts("title", title), **_texts("findings", findings),
        )  # fmt: skip
        for step, day in days.items():
            StudyStep.objects.create(
                study=study, state=step, on=day, by=director if step == "approved" else author,
                reason="Nuk u gjet financim; të dhënat e kostos kërkohen nga institucionet." if step == "dropped" else "",
            )  # fmt: skip
        StudyPartner.objects.bulk_create(
            StudyPartner(study=study, institution=bodies[code]) for code in partners if code in bodies
        )
        for number, (text, follow_up, code) in enumerate(advice, 1):
            one = StudyRecommendation.objects.create(
                study=study, number=number, state=follow_up, state_on=None if follow_up == "open" else ago(60),
                reason="Të dhënat personale do të mblidheshin pa nevojë." if follow_up == "rejected" else "",
                **_texts("text", text),
            )  # fmt: skip
            if code in measures:
                RecommendedMeasure.objects.create(recommendation=one, measure=measures[code])


def _practices(people: dict[str, User], measures: dict[str, Measure], ago: Any) -> None:
    author = people["monitoring@onatc.example"]
    for number, (topic, place, level, title, done, worked, use, code, is_published) in enumerate(PRACTICES):
        noted = ago(30 + 25 * number)
        Practice.objects.create(
            topic=topic, place=place, source="Shembull i demonstrimit, pa botim të vërtetë", evidence_level=level,
            measure=measures.get(code), noted_on=noted, published_on=noted + timedelta(days=7) if is_published else None,
            created_by=author, **_texts("title", title), **_texts("done", done), **_texts("worked", worked),
            **_texts("use", use),
        )  # fmt: skip


def _trends(people: dict[str, User], ago: Any) -> None:
    author, reviewer = people["monitoring@onatc.example"], people["planning@onatc.example"]
    for topic, title, description, language, municipality, place, kind, source, confidence, state, since in TRENDS:
        noted, reviewed = ago(since // 2), {}
        if state != "noted":
            reviewed = {
                "reviewed_by": reviewer,
                "reviewed_on": noted + timedelta(days=14),
                "review": "Dy burime të pavarura.",
            }
            if state in ("not_confirmed", "over"):
                reviewed["review"] = "Burimet e tjera nuk e thonë më."
        Trend.objects.create(
            topic=topic, description=description, language=language, municipality_id=municipality or None, place=place,
            since_on=noted - timedelta(days=since // 2), source_kind=kind, source=source, confidence=confidence,
            state=state, noted_by=author, noted_on=noted, **reviewed, **_texts("title", title),
        )  # fmt: skip
