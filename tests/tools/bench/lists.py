"""The list of patients: each page of it beside a page that does nothing, and each search at ten times as many."""

import datetime
from collections.abc import Callable, Iterator

from django.db.backends.base.base import BaseDatabaseWrapper
from django.urls import reverse

from lesions.models import NameBeginning, Patient, PatientIdentity, beginnings
from sessions_app.models import Protocol, Series, TreatmentSession
from stsclinic.clinics.models import Clinic
from tests.builders import make_clinic, make_user
from tests.tools.bench.browser import Browser
from tests.tools.bench.filling import copy_of_database, fill, on, without_history
from tests.tools.bench.measuring import Measured, measure

MANY = 100_000
DIAGNOSES = ("lcssc", "lcssc", "lcssc", "dcssc", "dm", "overlap", "sle", "mctd", "idiopathic", "lcssc")
FIRST_NAMES = [
    "Inger",
    "Anna",
    "Kirsten",
    "Hanne",
    "Karen",
    "Åse",
    "Lone",
    "Bodil",
    "Gitte",
    "Pia",
    "Tove",
    "Ulla",
    "Marianne",
    "Birgit",
    "Susanne",
    "Jytte",
    "Ole",
    "Lars",
    "Niels",
    "Jens",
    "Poul",
    "Erik",
    "Svend",
    "Knud",
    "Aage",
    "Henrik",
    "Bent",
    "Kurt",
    "Finn",
]
LAST_NAMES = ["Østergård", "Holm", "Lund", "Møller", "Kjær", "Dahl"]
"""So few that also among 10,000 patients two names are those of a whole page: both answers are then as long."""
BEGAN = datetime.date(2025, 1, 6)


class Lists:
    """The same clinic twice: with a tenth of the patients, and with all of them."""

    def __init__(self, patients: int):
        clinic = make_clinic("lists")
        self.browser = Browser(make_user("clinician", clinic, "lists"))
        self.empty = self.browser.asking(reverse("empty"))
        self.patients = patients
        self.few = copy_of_database("few_patients")
        self.many = copy_of_database("many_patients")
        for database, count in ((self.few, patients // 10), (self.many, patients)):
            with on(database), without_history():
                _fill(clinic, count)

    def on(self, database: BaseDatabaseWrapper, call: Callable[[], object]) -> Callable[[], None]:
        """The call, made on one of the databases."""

        def made() -> None:
            with on(database):
                call()

        return made


def _fill(clinic: Clinic, count: int) -> None:
    protocols = [Protocol.objects.get(code=code).pk for code in ("weekly4", "biweekly", "longterm")]
    numbers = range(1, count + 1)
    consented = {number: number % 20 > 1 for number in numbers}
    fill(
        Patient,
        (
            {
                "id": number,
                "study_id": f"P-{number:06}",
                "clinic_id": clinic.pk,
                "sex": "male" if number % 7 == 0 else "female",
                "birth_year": 1940 + number % 60,
                "diagnosis": DIAGNOSES[number % 10],
                "offered_on": BEGAN,
                "consented_on": BEGAN if consented[number] else None,
                "not_enrolled_reason": "declined" if number % 20 == 0 else "",
                "withdrawn_on": BEGAN if number % 300 == 7 and number < 9000 else None,
            }
            for number in numbers
        ),
    )
    names = {number: _name(number) for number in numbers}
    fill(
        PatientIdentity,
        ({"id": number, "patient_id": number, "name": name} for number, name in names.items()),
    )
    fill(
        NameBeginning,
        (
            {"patient_id": number, "text": text}
            for number, name in names.items()
            for text in sorted(beginnings(name))
        ),
    )
    fill(
        Series,
        (
            {
                "id": number,
                "patient_id": number,
                "series_no": 1,
                "protocol_id": protocols[number % 3],
                "started_on": BEGAN,
                "status": "active" if number % 3 else "completed",
            }
            for number in numbers
            if consented[number]
        ),
    )
    fill(
        TreatmentSession,
        (
            {
                "id": number * 4 + visit,
                "series_id": number,
                "session_no": visit,
                "kind": "treatment",
                "held_on": BEGAN + datetime.timedelta(days=7 * visit),
            }
            for number in numbers
            if consented[number]
            for visit in (1, 2, 3)
        ),
    )


def _name(number: int) -> str:
    """A name that some share; that of the tenth patient nobody else has."""
    if number == 10:
        return "Ragnhild Quistgaard"
    first = FIRST_NAMES[number % len(FIRST_NAMES)]
    last = LAST_NAMES[number // len(FIRST_NAMES) % len(LAST_NAMES)]
    return f"{first} {last}"


def pages(lists: Lists) -> Iterator[Measured]:
    """The first page, one of the middle and the last one of all patients."""
    last = f"P-{lists.patients - 50:06}"
    middle = f"P-{lists.patients // 2:06}"
    wanted: dict[str, dict[str, str] | None] = {
        "first page": None,
        "a page in the middle": {"after": middle},
        "last page": {"after": last},
    }
    for words, typed in wanted.items():
        yield measure(
            f"patient list of {lists.patients:,}, {words}",
            "empty",
            5,
            floor=lists.on(lists.many, lists.empty),
            doing=lists.on(lists.many, lists.browser.asking(reverse("patients"), typed)),
        )


def _searches(patients: int) -> dict[str, dict[str, str]]:
    """What a person looks for; the answer comes as one types, without the page around it."""
    there = f"P-{patients // 20:06}"
    return {
        "first page": {},
        "a page further on": {"after": there},
        "the page before": {"before": there},
        "a study ID": {"text": there},
        "the beginning of study IDs": {"text": there[:-2].lower()},
        "a study ID that is not there": {"text": "Q-1"},
        "a name that one has": {"text": "Quistgaard"},
        "a name that many share": {"text": "inger"},
        "two names": {"text": "inger holm"},
        "the beginning of names": {"text": "ø"},
        "a name that nobody has": {"text": "Zacharias"},
        "a diagnosis": {"diagnosis": "mctd"},
        "a diagnosis that nobody has": {"diagnosis": "morphea"},
        "a protocol": {"protocol": "longterm"},
        "a protocol that nobody has": {"protocol": "iv"},
        "offered": {"status": "offered"},
        "not enrolled": {"status": "not_enrolled"},
        "consented": {"status": "consented"},
        "in a series": {"status": "in_series"},
        "withdrawn, which few are": {"status": "withdrawn"},
        "a name, diagnosis and status": {"text": "holm", "diagnosis": "dm", "status": "in_series"},
    }


def searches(lists: Lists) -> Iterator[Measured]:
    """The list and each search among all patients, against the same among a tenth of them."""
    for words, typed in _searches(lists.patients).items():
        ask = lists.browser.asking(reverse("patients"), typed, headers={"HX-Request": "true"})
        yield measure(
            f"patient list of {lists.patients:,}, {words}",
            f"the same of {lists.patients // 10:,}",
            1.2,
            floor=lists.on(lists.few, ask),
            doing=lists.on(lists.many, ask),
        )
