"""Which series does a report look at, which of them are analysed, and why are the others left out?

Source: Olesen and Fage, Aarhus case series (report 000), "Methods" and "Results"; the choices
that the paper leaves open are in FOOTNOTES.
"""

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import compress, count
from operator import attrgetter
from typing import NamedTuple

from stsclinic.clinical.terms import STOP_REASON
from stsclinic.reporting.columns import Numbers
from stsclinic.reporting.records import PatientRecord, Registry, SeriesRecord, SessionRecord, SideEffectRecord
from stsclinic.reporting.visits import IN_ORDER, Visits
from stsclinic.reporting.words import count_words, day_words

LEFT_OUT = {
    "incomplete": "Incomplete",
    "insufficient_registration": "Insufficient registration",
    "same_lesions": "Same lesions as an earlier series",
    "too_close": "Too close to the series before",
    "no_treatment": "No treatment",
}
"""Why a series is not analysed. The first four in the order of the checks."""

BESIDE = frozenset({"", "same_lesions", "too_close"})
"""What is said of a series that is sound by itself."""

FEWEST_TREATMENTS = 2
"""The fewest treatments of a complete series, whatever its protocol plans."""

STOPPED_FOR_REMISSION = frozenset({"complete_remission", "sufficient_partial_remission"})

FOOTNOTES = (
    "With a protocol or a period chosen, only patients with such a series count, and only the sessions, "
    "injections and side effects of these series. The period is that of the first treatment.",
    "Incomplete: neither completed with the planned number of treatments (at least 2; 2 where the protocol "
    "plans none) nor stopped for complete or sufficient partial remission after at least 2.",
    "Insufficient registration: PtGA or PhGA is missing at the first or at the last treatment.",
    "Same lesions: the series treats a lesion of an earlier analysed series of the patient. Only selected series are "
    "looked at: with a protocol, a period or a concentration chosen, an earlier series outside of it does not count.",
    "Too close: the first treatment is earlier than one calendar month after the last treatment of the "
    "analysed series before it (31 January plus one month is the last day of February).",
    "All selected series are taken together, whatever their protocol.",
)

LESIONS_FOOTNOTE = (
    "With a body site or a subtype chosen, only such lesions count, with their assessments, injections and "
    "side effects, and only the series that treat one. PtGA and PhGA stay those of the whole series."
)
CONCENTRATION_FOOTNOTE = (
    "With a concentration chosen, only series count in which it was injected at least once, with all of "
    "their injections."
)

UNIT = {"series": "Series", "patient": "Patients", "lesion": "Lesions"}
"""What the headline counts. Scores belong to series; for lesions they stay those of the series."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What a report is about. An empty set takes all; the period holds both of its days.

    `concentrations` are in mg/ml. `horizon` (a code of HORIZON) and `unit` (of UNIT) choose no rows: they
    say what the headline is.
    """

    clinics: frozenset[str] = frozenset()
    protocols: frozenset[str] = frozenset()
    diagnoses: frozenset[str] = frozenset()
    first_treatment_from: date | None = None
    first_treatment_to: date | None = None
    subtypes: frozenset[str] = frozenset()
    body_sites: frozenset[str] = frozenset()
    concentrations: frozenset[Decimal] = frozenset()
    horizon: str = "follow_up"
    unit: str = "series"

    @property
    def picks_series(self) -> bool:
        """Whether it selects series, and not only patients."""
        chosen = self.protocols or self.concentrations
        return bool(chosen) or self.picks_lesions or self.picks_period

    @property
    def picks_lesions(self) -> bool:
        return bool(self.subtypes) or bool(self.body_sites)

    @property
    def picks_period(self) -> bool:
        return self.first_treatment_from is not None or self.first_treatment_to is not None


@dataclass(eq=False, slots=True)
class Course:
    """A selected series; its sessions in order of date, then session_no, stand in `visits` at this `place`."""

    patient: PatientRecord
    series: SeriesRecord
    visits: Visits
    place: int
    _sessions: list[SessionRecord] | None = field(default=None, init=False, repr=False)

    @property
    def sessions(self) -> list[SessionRecord]:
        """Made when they are asked for: most never are."""
        if self._sessions is None:
            self._sessions = sorted(self.series.sessions, key=IN_ORDER)
        return self._sessions

    @property
    def treatments(self) -> list[SessionRecord]:
        """The sessions that are treatments."""
        return [session for session in self.sessions if session.kind == "treatment"]

    @property
    def treatment_count(self) -> int:
        """How many treatments there were."""
        return self.visits.treatment_counts[self.place]

    @property
    def first_treatment_on(self) -> date:
        """Of a series with a treatment."""
        return date.fromordinal(self.visits.treatment_days[0][self.place])

    @property
    def last_treatment_on(self) -> date:
        """Of a series with a treatment."""
        return date.fromordinal(self.visits.treatment_days[1][self.place])

    @property
    def began(self) -> tuple[int, int]:
        """The number of the day of its first treatment, and series_no: in this order a patient was treated."""
        return self.visits.treatment_days[0][self.place], self.series.series_no


class Verdict(NamedTuple):
    """Whether a series is analysed: `reason` is empty, or a code of LEFT_OUT with `words` beside it."""

    course: Course
    reason: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a selection leaves of a registry: the patients, their selected series, the side effects.

    `visits` are those of all selected series, one after the other.
    """

    patients: Sequence[tuple[PatientRecord, Sequence[Course]]]
    side_effects: Sequence[SideEffectRecord]
    visits: Visits

    @property
    def courses(self) -> list[Course]:
        """All selected series, patient by patient."""
        return [course for _, courses in self.patients for course in courses]


def choose(registry: Registry, selection: Selection) -> Chosen:
    """Apply a selection. Patients come sorted by patient_id, series by series_no."""
    taken = (one for one in registry.patients if _takes_patient(selection, one))
    found = [
        (patient, _chosen_series(selection, patient))
        for patient in sorted(taken, key=lambda patient: patient.patient_id)
    ]
    if selection.concentrations or selection.picks_period:
        inside = iter(_takes_visits(selection, Visits([one for _, series in found for one in series])))
        found = [(patient, list(compress(series, inside))) for patient, series in found]
    if selection.picks_series:
        found = [(patient, series) for patient, series in found if series]
    visits = Visits([one for _, series in found for one in series])
    place = count()
    patients = [
        (patient, [Course(patient, one, visits, next(place)) for one in series]) for patient, series in found
    ]
    if selection.picks_series:
        kept = {(one.series.patient_id, one.series.series_no) for _, courses in patients for one in courses}
        side_effects = [one for one in registry.side_effects if (one.patient_id, one.series_no) in kept]
        if selection.picks_lesions:
            lesions = {
                (patient.patient_id, lesion_id)
                for patient, courses in patients
                for course in courses
                for lesion_id in course.series.lesions
            }
            side_effects = [
                one for one in side_effects if not one.lesion_id or (one.patient_id, one.lesion_id) in lesions
            ]
    else:
        ids = {patient.patient_id for patient, _ in patients}
        side_effects = [one for one in registry.side_effects if one.patient_id in ids]
    return Chosen(patients, side_effects, visits)


def judge_series(courses: Iterable[Course]) -> list[Verdict]:
    """One verdict for each selected series of one patient, sorted by series_no."""
    alone = [judge_alone(course) for course in courses]
    beside = judge_beside([verdict.course for verdict in alone if not verdict.reason])
    verdicts = [*(verdict for verdict in alone if verdict.reason), *beside]
    return sorted(verdicts, key=lambda verdict: verdict.course.series.series_no)


def judge_beside(courses: Iterable[Course]) -> list[Verdict]:
    """Rules 3 and 4: what those series of one patient that are sound by themselves must be beside one another."""
    verdicts = []
    treated: dict[str, int] = {}
    before: Course | None = None
    for course in sorted(courses, key=attrgetter("began")):
        verdict = _judge_beside(course, treated, before)
        verdicts.append(verdict)
        if not verdict.reason:
            before = course
            treated.update(dict.fromkeys(course.series.lesions, course.series.series_no))
    return verdicts


def is_complete(course: Course) -> bool:
    """Completed as planned, or stopped for remission; with two treatments or more."""
    series, held = course.series, course.treatment_count
    if series.status == "completed":
        return held >= max(FEWEST_TREATMENTS, series.planned_treatments or 0)
    for_remission = series.status == "stopped" and series.stop_reason in STOPPED_FOR_REMISSION
    return for_remission and held >= FEWEST_TREATMENTS


@lru_cache(maxsize=4096)
def one_month_after(day: date) -> date:
    """The same day of the next month, or that month's last day where it is shorter."""
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def _takes_patient(selection: Selection, patient: PatientRecord) -> bool:
    return (not selection.clinics or patient.clinic in selection.clinics) and (
        not selection.diagnoses or patient.diagnosis in selection.diagnoses
    )


def _chosen_series(selection: Selection, patient: PatientRecord) -> list[SeriesRecord]:
    """By series_no, those of the chosen protocols that treat a chosen lesion."""
    series = [one for one in patient.series if not selection.protocols or one.protocol in selection.protocols]
    series.sort(key=lambda one: one.series_no)
    if selection.picks_lesions:
        return [found for one in series if (found := _chosen_lesions_of(selection, patient, one))]
    return series


def _chosen_lesions_of(
    selection: Selection, patient: PatientRecord, series: SeriesRecord
) -> SeriesRecord | None:
    """The series with the lesions of the chosen body sites and subtypes alone; None where it treats none."""
    kept = {
        lesion_id: arm
        for lesion_id, arm in series.lesions.items()
        if (place := patient.lesions.get(lesion_id))
        and (not selection.body_sites or place.body_site in selection.body_sites)
        and (not selection.subtypes or place.subtype in selection.subtypes)
    }
    if not kept:
        return None
    sessions = [
        replace(
            session,
            assessments={key: seen for key, seen in session.assessments.items() if key in kept},
            injections=[one for one in session.injections if one.lesion_id in kept],
        )
        for session in series.sessions
    ]
    return replace(series, lesions=kept, sessions=sessions)


def _takes_visits(selection: Selection, visits: Visits) -> Numbers:
    """Which of these series have a chosen concentration, and begin within the period."""
    import numpy as np

    inside = np.ones(len(visits.counts), dtype=bool)
    if selection.concentrations:
        given = visits.given
        is_chosen = np.array([mg_ml in selection.concentrations for _, mg_ml, *_ in given.kinds], dtype=bool)
        inside &= np.bincount(visits.series[given.session[is_chosen[given.kind]]], minlength=len(inside)) > 0
    if selection.picks_period:
        first = np.array(visits.treatment_days[0], dtype=np.int64)
        inside &= visits.treatments > 0
        if selection.first_treatment_from is not None:
            inside &= first >= selection.first_treatment_from.toordinal()
        if selection.first_treatment_to is not None:
            inside &= first <= selection.first_treatment_to.toordinal()
    return inside


def judge_alone(course: Course) -> Verdict:
    """Rules 1 and 2: what a series must be by itself."""
    if not course.treatment_count:
        return Verdict(course, "no_treatment", "no session of kind treatment")
    if not is_complete(course):
        return Verdict(course, "incomplete", _incomplete_words(course))
    if not course.visits.has_end_scores[course.place]:
        missing = (
            _missing_words(which, treatment)
            for which, treatment in (("first", course.treatments[0]), ("last", course.treatments[-1]))
        )
        return Verdict(course, "insufficient_registration", ", ".join(filter(None, missing)))
    return Verdict(course)


def _judge_beside(course: Course, treated: dict[str, int], before: Course | None) -> Verdict:
    if not treated.keys().isdisjoint(course.series.lesions):
        again = [lesion_id for lesion_id in course.series.lesions if lesion_id in treated]
        words = ", ".join(f"{lesion_id} was treated in series {treated[lesion_id]}" for lesion_id in again)
        return Verdict(course, "same_lesions", words)
    if before is not None:
        earliest = one_month_after(before.last_treatment_on)
        if course.began[0] < earliest.toordinal():
            words = (
                f"first treatment on {day_words(course.first_treatment_on)}, earlier than "
                f"{day_words(earliest)}: one month after the last of series {before.series.series_no}"
            )
            return Verdict(course, "too_close", words)
    return Verdict(course)


def _missing_words(which: str, treatment: SessionRecord) -> str:
    scores = (("PtGA", treatment.ptga), ("PhGA", treatment.phga))
    missing = [name for name, score in scores if score is None]
    if not missing:
        return ""
    return f"{' and '.join(missing)} missing at the {which} treatment ({day_words(treatment.held_on)})"


def _incomplete_words(course: Course) -> str:
    series, held = course.series, count_words(course.treatment_count, "treatment")
    if series.status == "stopped":
        reason = STOP_REASON.get(series.stop_reason, series.stop_reason or "no reason given").lower()
        return f"stopped after {held}: {reason}"
    if series.status == "completed":
        needed = max(FEWEST_TREATMENTS, series.planned_treatments or 0)
        return f"completed with {held}, where at least {needed} are needed"
    return f"{series.status}, with {held} so far"
