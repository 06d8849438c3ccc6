"""Finding patients: by study ID or name, by clinic, diagnosis, protocol and status, page by page.

Pages go by key: the next page begins after the last study ID of this one, so that the thousandth page
costs what the first does. A study ID is looked for from its beginning, whatever its capitals; a name from
the beginning of any of its words. An index answers each, and what is found by a text is in the order of that
index: by study ID in small letters. Of names, and of the patients of a rare protocol, at most FEW are taken
into a list that then is looked up by key. `make bench` shows that 100,000 patients are found as quickly as
10,000.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import BigIntegerField, Exists, ExpressionWrapper, F, Max, Model, OuterRef, Q, QuerySet
from django.utils import timezone

from lesions.models import NameBeginning, Patient, PatientIdentity
from lesions.selectors import patients_for
from sessions_app.enrolment import OPEN_SERIES
from sessions_app.models import Protocol, Series
from stsclinic.access import clinics_where
from stsclinic.clinical import terms
from stsclinic.clinical.dates import DateError, age_by_year, clinic_date
from stsclinic.clinics.models import Clinic
from stsclinic.fields import NotByIndex, SmallLetters
from stsclinic.statement import Given, statement

PAGE = 50
FEW = 200
RARE = ("offered", "not_enrolled", "withdrawn")
"""Statuses with an index of their own."""

STATUS = {
    "offered": "Offered",
    "not_enrolled": "Not enrolled",
    "consented": "Consented",
    "in_series": "In a series",
    "withdrawn": "Withdrawn",
}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is looked for; what is empty does not narrow."""

    text: str = ""
    clinic: int | None = None
    diagnosis: str = ""
    protocol: str = ""
    status: str = ""
    after: str = ""
    before: str = ""

    @property
    def narrows(self) -> bool:
        """Whether anything at all is asked for."""
        return bool(self.text or self.clinic or self.diagnosis or self.protocol or self.status)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One patient as the list shows it."""

    pk: int
    study_id: str
    name: str
    sex: str
    age: str
    diagnosis: str
    clinic: str
    status: str
    status_words: str
    series: str
    last_session_on: date | None

    @property
    def state(self) -> str:
        """The code under which components/state.html draws the status."""
        return "active" if self.status == "in_series" else self.status


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of the list; `previous` and `next` are study IDs to go on from, or ""."""

    rows: tuple[Row, ...]
    previous: str
    next: str
    more_named: int = 0
    """More patients than these have such a name, and the rest are not among the rows; 0 where all are."""


class _Patient(NamedTuple):
    """What the list reads of a patient."""

    pk: int
    study_id: str
    sex: str
    birth_year: int | None
    diagnosis: str
    consented_on: date | None
    not_enrolled_reason: str
    withdrawn_on: date | None
    clinic: str
    time_zone: str


_COLUMNS = (*_Patient._fields[:-2], "clinic__name", "clinic__time_zone")


class _Open(NamedTuple):
    """A series that goes on, as the list shows it."""

    patient: int
    status: str
    series_no: int
    protocol: str


def choices_for(user) -> dict[str, list[tuple[str, str]]]:
    """The choices of the filters: clinics, diagnoses, protocols, statuses."""
    seen = clinics_where(user, "see_patients")
    names = dict(_protocols(seen).rows())
    return {
        "clinic": [(str(pk), name) for pk, name in _clinics(seen).rows()],
        "diagnosis": list(terms.DIAGNOSIS.items()),
        "protocol": sorted(names.items(), key=lambda entry: entry[1]),
        "status": list(STATUS.items()),
    }


@statement
def _clinics(clinics: frozenset[int]) -> QuerySet:
    return Clinic.objects.filter(pk__in=clinics).order_by("name").values_list("pk", "name")


@statement
def _protocols(clinics: frozenset[int]) -> QuerySet:
    """Code and name of each version; the newest name of a code comes last."""
    protocols = Protocol.objects.filter(Q(clinic=None) | Q(clinic__in=clinics))
    return protocols.order_by("version").values_list("code", "name")


def find_patients(user, wanted: Wanted) -> Page:
    """One page of what the user may see, in the order of study IDs. A fixed number of queries."""
    found, more_named = _filtered(user, wanted), 0
    if wanted.text:
        has_id = Q(small_id__begins=wanted.text.lower())
        named = _called(user, wanted.text)
        more_named = FEW if len(named) > FEW else 0
        called = Q(pk__in=named[:FEW])
        texts = (found.alias(small_id=SmallLetters("study_id")).filter(has_id), found.filter(called))
        keys = {pk for part in texts for pk in _paged(part, wanted).values_list("pk", flat=True)}
        found = patients_for(user, "see_patients").filter(pk__in=keys)
    rows = [_Patient._make(row) for row in _paged(found, wanted).values_list(*_COLUMNS)]
    is_full, rows = len(rows) > PAGE, rows[:PAGE]
    if wanted.before:
        has_previous, has_next, rows = is_full, True, rows[::-1]
    else:
        has_previous, has_next = bool(wanted.after), is_full
    return Page(
        rows=tuple(_rows(user, rows)),
        previous=rows[0].study_id if rows and has_previous else "",
        next=rows[-1].study_id if rows and has_next else "",
        more_named=more_named,
    )


def _paged(found: QuerySet[Patient], wanted: Wanted) -> QuerySet[Patient]:
    """The rows of one page, the nearest to its key first, and one more."""
    found = found.alias(key=SmallLetters("study_id") if wanted.text else F("study_id"))
    before, after = wanted.before, wanted.after
    if wanted.text:
        before, after = before.lower(), after.lower()
    if before:
        return found.filter(key__lt=before).order_by("-key")[: PAGE + 1]
    if after:
        found = found.filter(key__gt=after)
    return found.order_by("key")[: PAGE + 1]


def _filtered(user, wanted: Wanted) -> QuerySet[Patient]:
    """The patients that all filters let through, whatever they are called."""
    clinics = clinics_where(user, "see_patients")
    if wanted.clinic is not None:
        clinics &= {wanted.clinic}
    found = Patient.objects.all()
    if wanted.text or wanted.diagnosis or wanted.status in RARE:
        found = found.alias(of=_not_by_index("clinic", Patient)).filter(of__in=clinics)
    else:
        found = found.filter(clinic__in=clinics)
    if wanted.diagnosis and wanted.text:
        found = found.alias(has=_not_by_index("diagnosis", Patient)).filter(has=wanted.diagnosis)
    elif wanted.diagnosis:
        found = found.filter(diagnosis=wanted.diagnosis)
    if wanted.protocol:
        versions = list(Protocol.objects.filter(code=wanted.protocol).values_list("pk", flat=True))
        found = found.filter(_has_series("protocol", versions))
    if wanted.status:
        found = found.filter(_has_status(wanted.status))
    return found


def _called(user, text: str) -> list[int]:
    """The ids of the first FEW patients, and of one more, in the order of names, of whose name a word begins so."""
    start = text.lower().encode()
    names = NameBeginning.objects.filter(
        # No text has the byte 255.
        text__gte=start,
        text__lt=start + b"\xff",
    )
    names = names.alias(of=NotByIndex(F("patient__clinic"), output_field=BigIntegerField())).filter(
        of__in=clinics_where(user, "see_identity")
    )
    return list(names.order_by("text", "patient").values_list("patient", flat=True)[: FEW + 1])


def _has_series(column: str, values: Sequence) -> Q:
    """Patients with such a series: looked up where they are few, else asked of each patient of the page."""
    series = Series.objects.filter(**{f"{column}__in": values}).order_by()
    few = list(series.values_list("patient", flat=True)[: FEW + 1])
    if len(few) <= FEW:
        return Q(pk__in=few)
    own = Series.objects.filter(patient=OuterRef("pk")).order_by()
    return Q(Exists(own.alias(of=_not_by_index(column, Series)).filter(of__in=values)))


def _not_by_index(column: str, model: type[Model]) -> NotByIndex:
    """A column, with the key of a relation as the number that it is, that narrows less than what else is asked for."""
    field: Any = model._meta.get_field(column)
    return NotByIndex(F(column), output_field=BigIntegerField() if field.is_relation else field)


def _has_status(status: str) -> Q:
    here = Q(withdrawn_on=None)
    if status in ("consented", "in_series"):
        in_series = _has_series("status", OPEN_SERIES)
        return here & Q(consented_on__isnull=False) & (in_series if status == "in_series" else ~in_series)
    conditions: dict[str, Q] = {
        "offered": here & Q(consented_on=None, not_enrolled_reason=""),
        "not_enrolled": here & ~Q(not_enrolled_reason=""),
        "withdrawn": Q(withdrawn_on__isnull=False),
    }
    return conditions[status]


def _rows(user, patients: list[_Patient]) -> list[Row]:
    # A page that is not full asks for its last patient more than once, so that the SQL is that of a full one.
    pks = [patient.pk for patient in patients]
    keys = {f"key_{number}": pk for number, pk in enumerate([*pks, *pks[-1:] * (len(_KEYS) - len(pks))])}
    names: dict[int, str] = {}
    last: dict[int, date] = {}
    open_series: dict[int, _Open] = {}
    if pks:
        names = dict(_names(clinics_where(user, "see_identity")).rows(**keys))
        last = dict(_last_sessions().rows(**keys))
        for row in map(_Open._make, _open_series().rows(**keys)):
            known = open_series.get(row.patient)
            if known is None or (known.status, row.status) != ("active", "planned"):
                open_series[row.patient] = row
    now = timezone.now()
    days = {zone: clinic_date(now, ZoneInfo(zone)) for zone in {patient.time_zone for patient in patients}}
    return [
        _row(
            patient,
            names.get(patient.pk, ""),
            open_series.get(patient.pk),
            last.get(patient.pk),
            days[patient.time_zone],
        )
        for patient in patients
    ]


_KEYS = [Given(f"key_{number}") for number in range(PAGE)]
_OF_PATIENT = ExpressionWrapper(F("patient"), BigIntegerField())
"""The key of a row's patient as the number that it is: a relation takes no list of what is given later."""


@statement
def _names(clinics: frozenset[int]) -> QuerySet:
    identities = PatientIdentity.objects.alias(key=_OF_PATIENT).filter(key__in=_KEYS)
    return identities.filter(patient__clinic__in=clinics).values_list("patient", "name")


@statement
def _open_series() -> QuerySet:
    series = Series.objects.alias(key=_OF_PATIENT).filter(key__in=_KEYS, status__in=OPEN_SERIES)
    return series.order_by("series_no").values_list("patient", "status", "series_no", "protocol__name")


@statement
def _last_sessions() -> QuerySet:
    series = Series.objects.alias(key=_OF_PATIENT).filter(key__in=_KEYS, sessions__struck_out_at=None)
    return series.order_by().values_list("patient").annotate(last=Max("sessions__held_on"))


def _row(
    patient: _Patient, name: str, series: _Open | None, last_session_on: date | None, today: date
) -> Row:
    status = _status_of(patient, series is not None)
    return Row(
        pk=patient.pk,
        study_id=patient.study_id,
        name=name,
        sex=terms.SEX.get(patient.sex, patient.sex),
        age=_age(patient, today),
        diagnosis=terms.DIAGNOSIS.get(patient.diagnosis, patient.diagnosis),
        clinic=patient.clinic,
        status=status,
        status_words=STATUS[status],
        series=f"{series.protocol}, series {series.series_no}" if series else "",
        last_session_on=last_session_on,
    )


def _status_of(patient: _Patient, is_in_series: bool) -> str:
    """The code of STATUS that the patient's columns amount to."""
    if patient.withdrawn_on:
        return "withdrawn"
    if patient.not_enrolled_reason:
        return "not_enrolled"
    if not patient.consented_on:
        return "offered"
    return "in_series" if is_in_series else "consented"


def _age(patient: _Patient, today: date) -> str:
    if patient.birth_year is None:
        return ""
    try:
        return str(age_by_year(patient.birth_year, today))
    except DateError:
        return ""
