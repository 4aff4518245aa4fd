"""What the demonstration's institutions write, in the three languages, by kind of work and stage of a measure.

Each text is (Albanian, Serbian, English). `{value}` and `{target}` are replaced by the reported figures.
"""

Said = tuple[str, str, str]

# The kind of work of each measure; what is not named is "coordination".
KINDS = {
    "campaign": "M1.1.1 M1.1.2 M1.1.3 M1.1.4 M1.2.2",
    "training": "M1.1.5 M1.2.6 M1.3.2 M2.1.2 M2.4.2 M3.1.4",
    "field": "M1.2.3 M1.3.1 M1.3.4 M3.1.1 M3.1.5 M2.3.3",
    "document": "M1.2.1 M1.2.4 M1.3.3 M2.1.1 M2.3.4 M3.2.1 M3.2.2 M4.1.2 M4.1.4 M4.1.5 M4.2.2 M4.2.3 M4.3.2 M4.4.2",
    "service": "M1.2.5 M2.1.3 M2.1.4 M2.2.1 M2.2.2 M2.2.3 M2.2.4 M2.2.5 M2.2.6 M2.3.1 M2.3.2 M2.4.1 M2.4.3 M3.2.3 M3.3.1",
}
KIND_OF = {code: kind for kind, codes in KINDS.items() for code in codes.split()}

DONE: dict[str, dict[str, list[Said]]] = {
    "campaign": {
        "early": [
            (
                "U hartua plani i veprimtarive dhe u ndanë detyrat me partnerët. Materialet u përgatitën në gjuhët zyrtare. Deri tani: {value} nga {target}.",
                "Izrađen je plan aktivnosti i podeljeni su zadaci sa partnerima. Materijali su pripremljeni na službenim jezicima. Do sada: {value} od {target}.",
                "The plan of activities was drawn up and tasks were shared with partners. Materials were prepared in the official languages. So far: {value} of {target}.",
            ),
        ],
        "middle": [
            (
                "U mbajtën takime informuese dhe u shpërndanë fletëpalosje në shkolla, pika kufitare dhe qendra komunale. Vlera e arritur është {value}, synimi {target}.",
                "Održani su informativni sastanci i podeljeni letci u školama, na graničnim prelazima i u opštinskim centrima. Dostignuta vrednost je {value}, cilj {target}.",
                "Information meetings were held and leaflets given out in schools, at border points and in municipal centres. The value reached is {value}, the target {target}.",
            ),
            (
                "Materialet u transmetuan në media lokale në shqip dhe serbisht, dhe numri falas i ndihmës u shfaq në të gjitha. Arritja: {value} nga {target}.",
                "Materijali su emitovani u lokalnim medijima na albanskom i srpskom, a na svima je prikazan besplatan broj za pomoć. Dostignuto: {value} od {target}.",
                "Materials were broadcast by local media in Albanian and Serbian, all of them with the free helpline number. Reached: {value} of {target}.",
            ),
        ],
        "late": [
            (
                "Veprimtaritë e parapara u përmbyllën dhe u bë vlerësimi me partnerët. Vlera e fundit është {value}, synimi {target}.",
                "Planirane aktivnosti su završene i obavljena je procena sa partnerima. Poslednja vrednost je {value}, cilj {target}.",
                "The planned activities were concluded and assessed with the partners. The latest value is {value}, the target {target}.",
            ),
        ],
    },
    "training": {
        "early": [
            (
                "U miratua programi i trajnimit dhe u përzgjodhën trajnerët. Trajnimi i parë u mbajt; vlera e arritur është {value} nga {target}.",
                "Usvojen je program obuke i izabrani su predavači. Održana je prva obuka; dostignuta vrednost je {value} od {target}.",
                "The training programme was approved and the trainers were chosen. The first course was held; the value reached is {value} of {target}.",
            ),
        ],
        "middle": [
            (
                "U mbajtën trajnime dyditore në rajone, me ushtrime mbi rastet dhe test në fund. Deri tani u arrit {value}; synimi është {target}.",
                "Održane su dvodnevne obuke u regionima, sa vežbama na slučajevima i testom na kraju. Do sada je dostignuto {value}; cilj je {target}.",
                "Two-day courses were held in the regions, with case exercises and a test at the end. So far {value} was reached; the target is {target}.",
            ),
            (
                "Pjesëmarrësit ishin nga policia, qendrat për punë sociale dhe inspektorati. Lista e pjesëmarrjes sipas gjinisë është bashkëngjitur. Arritja: {value}.",
                "Učesnici su bili iz policije, centara za socijalni rad i inspektorata. Spisak učesnika po polu je priložen. Dostignuto: {value}.",
                "Participants came from the police, the centres for social work and the inspectorate. The attendance by sex is attached. Reached: {value}.",
            ),
        ],
        "late": [
            (
                "U mbajt cikli i fundit dhe u vlerësua zbatimi në punë i njohurive. Vlera e arritur: {value}, synimi: {target}.",
                "Održan je poslednji ciklus i procenjena je primena znanja u radu. Dostignuta vrednost: {value}, cilj: {target}.",
                "The last cycle was held and the use of the knowledge at work was assessed. Value reached: {value}, target: {target}.",
            ),
        ],
    },
    "field": {
        "early": [
            (
                "U caktuan ekipet e përbashkëta dhe u dakordua lista e vendeve me rrezik. U kryen operacionet e para: {value} nga {target}.",
                "Određeni su zajednički timovi i usaglašen spisak rizičnih mesta. Obavljene su prve operacije: {value} od {target}.",
                "Joint teams were named and the list of places at risk was agreed. The first operations were carried out: {value} of {target}.",
            ),
        ],
        "middle": [
            (
                "Ekipet e përbashkëta dolën në terren në të gjitha rajonet sipas planit. Vlera e arritur është {value}; synimi {target}.",
                "Zajednički timovi su izašli na teren u svim regionima prema planu. Dostignuta vrednost je {value}; cilj {target}.",
                "The joint teams worked in the field in all regions as planned. The value reached is {value}; the target {target}.",
            ),
            (
                "Kontrollet u përqendruan në ndërtimtari, hoteleri dhe bujqësi. Rastet me indikatorë u referuan sipas procedurave. Deri tani {value}.",
                "Kontrole su bile usmerene na građevinarstvo, ugostiteljstvo i poljoprivredu. Slučajevi sa pokazateljima upućeni su prema procedurama. Do sada {value}.",
                "Checks focused on construction, hospitality and agriculture. Cases with indicators were referred under the procedures. So far {value}.",
            ),
        ],
        "late": [
            (
                "Operacionet e parapara u kryen dhe u hartua raporti përmbledhës me mësimet e nxjerra. Vlera: {value}, synimi: {target}.",
                "Planirane operacije su obavljene i izrađen je zbirni izveštaj sa naučenim lekcijama. Vrednost: {value}, cilj: {target}.",
                "The planned operations were carried out and a summary with lessons was drawn up. Value: {value}, target: {target}.",
            ),
        ],
    },
    "document": {
        "early": [
            (
                "U themelua grupi punues dhe u mblodhën propozimet e institucioneve. Drafti i parë është në hartim.",
                "Osnovana je radna grupa i prikupljeni su predlozi institucija. Prvi nacrt je u izradi.",
                "The working group was set up and the institutions' proposals were collected. The first draft is being written.",
            ),
        ],
        "middle": [
            (
                "Drafti u shpërnda për komente dhe u diskutua në dy takime të grupit punues. Komentet po përfshihen. Vlera: {value}, synimi: {target}.",
                "Nacrt je dostavljen na komentare i razmatran na dva sastanka radne grupe. Komentari se unose. Vrednost: {value}, cilj: {target}.",
                "The draft was circulated for comments and discussed at two meetings of the working group. Comments are being included. Value: {value}, target: {target}.",
            ),
        ],
        "late": [
            (
                "Dokumenti u finalizua në gjuhët zyrtare dhe iu dërgua institucioneve. Vlera e arritur: {value}, synimi: {target}.",
                "Dokument je završen na službenim jezicima i dostavljen institucijama. Dostignuta vrednost: {value}, cilj: {target}.",
                "The document was completed in the official languages and sent to the institutions. Value reached: {value}, target: {target}.",
            ),
        ],
    },
    "service": {
        "early": [
            (
                "U dakorduan procedurat e brendshme dhe u caktuan personat përgjegjës. Shërbimi filloi; vlera e parë është {value}, synimi {target}.",
                "Usaglašene su interne procedure i određena odgovorna lica. Usluga je počela; prva vrednost je {value}, cilj {target}.",
                "Internal procedures were agreed and responsible officers were named. The service began; the first value is {value}, the target {target}.",
            ),
        ],
        "middle": [
            (
                "Shërbimi u ofrua rregullisht dhe u regjistrua në formularët e përbashkët. Në fund të tremujorit vlera ishte {value}; synimi është {target}.",
                "Usluga je redovno pružana i evidentirana na zajedničkim obrascima. Na kraju tromesečja vrednost je bila {value}; cilj je {target}.",
                "The service was given regularly and recorded on the common forms. At the end of the quarter the value was {value}; the target is {target}.",
            ),
            (
                "U mbajt takim bashkërendues me ofruesit e shërbimeve dhe u zgjidhën vonesat e vërejtura. Vlera: {value} nga {target}.",
                "Održan je koordinacioni sastanak sa pružaocima usluga i otklonjena su uočena kašnjenja. Vrednost: {value} od {target}.",
                "A coordination meeting with the providers was held and the delays noticed were settled. Value: {value} of {target}.",
            ),
        ],
        "late": [
            (
                "Shërbimi funksionon në të gjitha rajonet dhe është përfshirë në buxhetin e rregullt. Vlera: {value}, synimi: {target}.",
                "Usluga funkcioniše u svim regionima i uključena je u redovan budžet. Vrednost: {value}, cilj: {target}.",
                "The service works in all regions and is part of the regular budget. Value: {value}, target: {target}.",
            ),
        ],
    },
    "coordination": {
        "early": [
            (
                "U caktua kalendari i takimeve dhe u njoftuan institucionet anëtare. Vlera deri tani: {value}, synimi: {target}.",
                "Utvrđen je kalendar sastanaka i obaveštene su institucije članice. Vrednost do sada: {value}, cilj: {target}.",
                "The calendar of meetings was set and the member institutions were told. Value so far: {value}, target: {target}.",
            ),
        ],
        "middle": [
            (
                "U mbajt takimi i rregullt me pjesëmarrjen e shumicës së institucioneve dhe u ndoqën detyrat e mëparshme. Arritja: {value} nga {target}.",
                "Održan je redovan sastanak uz učešće većine institucija i praćeni su raniji zadaci. Dostignuto: {value} od {target}.",
                "The regular meeting was held with most institutions present, and earlier tasks were followed up. Reached: {value} of {target}.",
            ),
            (
                "U shkëmbyen të dhënat me institucionet partnere dhe u njësuan përkufizimet. Vlera në fund të periudhës: {value}.",
                "Razmenjeni su podaci sa partnerskim institucijama i usaglašene definicije. Vrednost na kraju perioda: {value}.",
                "Data was exchanged with partner institutions and definitions were aligned. Value at the end of the period: {value}.",
            ),
        ],
        "late": [
            (
                "Veprimtaria vazhdon sipas kalendarit dhe rezultatet iu paraqitën Autoritetit Kombëtar. Vlera: {value}, synimi: {target}.",
                "Aktivnost se nastavlja prema kalendaru, a rezultati su predstavljeni Nacionalnom organu. Vrednost: {value}, cilj: {target}.",
                "The activity goes on by the calendar and the results were presented to the National Authority. Value: {value}, target: {target}.",
            ),
        ],
    },
}

DIFFICULTIES: list[Said] = [
    (
        "Procedura e prokurimit u vonua dhe mjetet u bënë të disponueshme vetëm në fund të tremujorit.",
        "Postupak nabavke je kasnio i sredstva su bila raspoloživa tek krajem tromesečja.",
        "Procurement was delayed and the funds were available only at the end of the quarter.",
    ),
    (
        "Stafi përgjegjës ndërroi dhe detyra nuk u mbulua për gati dy muaj.",
        "Odgovorno osoblje se promenilo i zadatak skoro dva meseca nije bio pokriven.",
        "The staff in charge changed and the task was not covered for almost two months.",
    ),
    (
        "Të dhënat nga komunat veriore arritën me vonesë dhe nuk janë të plota.",
        "Podaci iz severnih opština stigli su sa zakašnjenjem i nisu potpuni.",
        "Data from the northern municipalities came late and is not complete.",
    ),
    (
        "Mungojnë përkthyesit për gjuhët që kërkohen më shpesh.",
        "Nedostaju prevodioci za jezike koji se najčešće traže.",
        "Interpreters for the languages asked for most often are lacking.",
    ),
    (
        "Donatori e shtyu fillimin e fazës së dytë të projektit.",
        "Donator je odložio početak druge faze projekta.",
        "The donor put off the start of the second phase of the project.",
    ),
    (
        "Bashkërendimi me partnerin kërkon marrëveshje me shkrim, që ende nuk është nënshkruar.",
        "Koordinacija sa partnerom zahteva pisani sporazum, koji još nije potpisan.",
        "Coordination with the partner needs a written agreement, which is not signed yet.",
    ),
]

NEXT: list[Said] = [
    (
        "Në tremujorin e ardhshëm vazhdojnë veprimtaritë në rajonet që mbeten.",
        "U narednom tromesečju aktivnosti se nastavljaju u preostalim regionima.",
        "Next quarter the activities go on in the remaining regions.",
    ),
    (
        "Do të mbahet takim me partnerët për t'i ndarë detyrat e mbetura.",
        "Biće održan sastanak sa partnerima radi podele preostalih zadataka.",
        "A meeting with the partners will be held to share out what remains.",
    ),
    (
        "Pritet miratimi i mjeteve dhe nënshkrimi i kontratës.",
        "Očekuje se odobrenje sredstava i potpisivanje ugovora.",
        "Approval of the funds and signature of the contract are expected.",
    ),
    (
        "Do të dorëzohet raporti i plotë me të dhënat e ndara sipas gjinisë.",
        "Biće dostavljen potpun izveštaj sa podacima razvrstanim po polu.",
        "The full report with data by sex will be handed in.",
    ),
]

NIL: list[Said] = [
    (
        "Në këtë tremujor nuk ishin paraparë veprimtari për këtë masë.",
        "U ovom tromesečju za ovu meru nisu bile predviđene aktivnosti.",
        "No activity on this measure was planned for this quarter.",
    ),
    (
        "Veprimtaria varet nga miratimi i buxhetit, që pritet në tremujorin e ardhshëm.",
        "Aktivnost zavisi od odobrenja budžeta, koje se očekuje u narednom tromesečju.",
        "The activity depends on the approval of the budget, which is expected next quarter.",
    ),
]

# What the secretariat writes when it returns an entry; (Albanian, Serbian).
RETURNS: list[tuple[str, str]] = [
    ("Ju lutemi bashkëngjitni dëshminë për vlerën e raportuar.", "Molimo priložite dokaz za prijavljenu vrednost."),
    (
        "Vlera nuk përputhet me atë të tremujorit të kaluar. Ju lutemi sqarojeni.",
        "Vrednost se ne slaže sa onom iz prethodnog tromesečja. Molimo objasnite.",
    ),
    ("Ju lutemi ndani pjesëmarrësit sipas gjinisë dhe rajonit.", "Molimo razvrstajte učesnike po polu i okrugu."),
    (
        "Teksti përshkruan planin, jo atë që u bë. Ju lutemi plotësojeni.",
        "Tekst opisuje plan, a ne ono što je urađeno. Molimo dopunite.",
    ),
    ("Ju lutemi tregoni cilat komuna u përfshinë.", "Molimo navedite koje su opštine obuhvaćene."),
    (
        "Arsyeja e vonesës mungon. Ju lutemi shtojeni te vështirësitë.",
        "Nedostaje razlog kašnjenja. Molimo dodajte ga kod teškoća.",
    ),
]
DISPUTE = (
    "Shifra e policisë dhe ajo e inspektoratit ende nuk përputhen. Ju lutemi njësojeni me partnerin para dorëzimit.",
    "Podatak policije i podatak inspektorata još se ne slažu. Molimo usaglasite ga sa partnerom pre predaje.",
)
OVERRIDES: list[tuple[str, str]] = [
    ("at_risk", "Vlera është në hap me kohën, por kontrata me ofruesin skadon brenda vitit dhe nuk është vazhduar."),
    ("on_time", "Vonesa vjen nga mënyra e numërimit; puna në terren ka përfunduar dhe raporti pritet."),
]
EVIDENCE = ["lista-e-pjesemarrjes", "raporti-tremujor", "procesverbali-i-takimit", "permbledhje-e-te-dhenave"]
