"""The rows of the large registry: 3.6 series a patient, 4 sessions a series, 7 lesions, 100 injections a patient.

Of 10,000 patients: 36,000 series, 144,000 sessions, 1,000,000 injections. All of it follows from the
numbers, so a registry of more patients begins with the rows of a smaller one.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

PATIENTS = 10_000
DAY = datetime.timedelta(days=1)
BEGAN = datetime.date(2019, 1, 7)
DIAGNOSES = ("lcssc", "lcssc", "dcssc", "dm", "overlap", "lcssc", "mctd", "lcssc", "sle", "lcssc")
SITES = ("index_finger", "middle_finger", "thumb", "elbow", "knee", "forearm", "buttock", "lower_leg")
SESSIONS = 4

Row = dict[str, Any]


@dataclass(frozen=True)
class Visits:
    """One series: its lesions, and how many of its four sessions are treatments; the last may be a follow-up."""

    number: int
    patient: int
    series_no: int
    lesions: range
    """Their numbers within the patient."""
    treatments: int

    @property
    def began_on(self) -> datetime.date:
        """The first session."""
        return BEGAN + (self.patient % 700 + 200 * (self.series_no - 1)) * DAY

    def lesion_key(self, lesion: int) -> int:
        """The id of a lesion's row."""
        return self.patient * 64 + lesion

    def session_key(self, session_no: int) -> int:
        """The id of a session's row."""
        return self.number * SESSIONS + session_no

    def held_on(self, session_no: int) -> datetime.date:
        """Each week, and the follow-up four months later."""
        late = 120 if session_no > self.treatments else 0
        return self.began_on + (7 * (session_no - 1) + late) * DAY


def visits(patients: range) -> Iterator[Visits]:
    """The series of these patients, who are numbered from 1."""
    for patient in patients:
        first, last = -(-18 * (patient - 1) // 5) + 1, -(-18 * patient // 5)
        lesion = 1
        for series_no, number in enumerate(range(first, last + 1), start=1):
            place = number % 36
            count = (4, 7, 10)[number % 3] + (place == 0 or (place < 18 and place % 4 > 0))
            treatments = SESSIONS if number % 4 else SESSIONS - 1
            yield Visits(number, patient, series_no, range(lesion, lesion + count), treatments)
            lesion += count


def study_id(patient: int) -> str:
    """The pseudonym."""
    return f"P-{patient:05}"


def lesion_id(lesion: int) -> str:
    """The ID within the patient."""
    return f"L{lesion:02}"


def patient_rows(patients: range, clinic: int) -> Iterator[Row]:
    """The columns of lesions.Patient."""
    for number in patients:
        yield {
            "id": number,
            "study_id": study_id(number),
            "clinic_id": clinic,
            "sex": "male" if number % 7 == 0 else "female",
            "birth_year": 1940 + number % 50,
            "diagnosis": DIAGNOSES[number % 10],
            "lesion_count": 40,
            "offered_on": BEGAN,
            "consented_on": BEGAN,
        }


def medication_rows(patients: range) -> Iterator[Row]:
    """The columns of lesions.Medication."""
    for number in patients:
        yield {"patient_id": number, "name": "bosentan", "role": "vasodilator", "started_on": "2018"}


def lesion_rows(patients: range) -> Iterator[Row]:
    """The columns of lesions.Lesion."""
    for series in visits(patients):
        for lesion in series.lesions:
            yield {
                "id": series.lesion_key(lesion),
                "patient_id": series.patient,
                "lesion_id": lesion_id(lesion),
                "body_site": SITES[(series.patient + lesion) % 8],
                "laterality": ("left", "right")[lesion % 2],
                "lesion_type": ("nodule", "plaque", "tumoral")[lesion % 3],
                "onset_on": "2017-05" if lesion % 4 else "",
            }


def series_rows(patients: range, four: int, open_ended: int) -> Iterator[Row]:
    """The columns of sessions_app.Series, under a protocol of four treatments and one without a number."""
    for series in visits(patients):
        is_stopped = series.number % 11 == 3
        yield {
            "id": series.number,
            "patient_id": series.patient,
            "series_no": series.series_no,
            "protocol_id": four if series.treatments == SESSIONS else open_ended,
            "started_on": series.began_on,
            "status": "stopped" if is_stopped else "completed",
            "stop_reason": "patient_choice" if is_stopped else "",
        }


def series_lesion_rows(patients: range) -> Iterator[Row]:
    """The columns of sessions_app.SeriesLesion."""
    for series in visits(patients):
        for lesion in series.lesions:
            yield {"series_id": series.number, "lesion_id": series.lesion_key(lesion)}


def session_rows(patients: range) -> Iterator[Row]:
    """The columns of sessions_app.TreatmentSession."""
    for series in visits(patients):
        for session_no in range(1, SESSIONS + 1):
            is_treatment = session_no <= series.treatments
            is_scored = is_treatment and (series.number + session_no) % 29 > 0
            yield {
                "id": series.session_key(session_no),
                "series_id": series.number,
                "session_no": session_no,
                "kind": "treatment" if is_treatment else "follow_up",
                "held_on": series.held_on(session_no),
                "ptga": 10 - session_no - series.number % 4 if is_scored else None,
                "phga": 9 - session_no - series.patient % 5 if is_scored else None,
            }


def assessment_rows(patients: range) -> Iterator[Row]:
    """The columns of sessions_app.Assessment: every lesion at every session, of any of some thousand sizes."""
    for series in visits(patients):
        for session_no in range(1, SESSIONS + 1):
            for lesion in series.lesions:
                mixed = series.number * 31 + lesion * 17
                is_gone = session_no == SESSIONS and mixed % 5 == 0
                half_mm = 24 + mixed % 61 - (session_no - 1) * (mixed % 4)
                yield {
                    "session_id": series.session_key(session_no),
                    "lesion_id": series.lesion_key(lesion),
                    "status": "gone" if is_gone else "present",
                    "longest_mm": None if is_gone else half_mm / 2,
                    "widest_mm": None if is_gone else (half_mm - mixed % 7) / 2,
                    "size_source": "" if is_gone else "measured",
                    "ulcer": None if is_gone else mixed % 9 == 0 and session_no < 3,
                    "inflammation": None if is_gone else mixed % 6 == 0,
                }


def injection_facts(series: Visits, session_no: int, lesion: int) -> tuple[int, float, str, float | None]:
    """Concentration in mg/ml, volume in ml, technique, and pain, of which some is not recorded."""
    mixed = series.number * 13 + session_no * 7 + lesion * 3
    pain = None if mixed % 10 == 0 else mixed % 21 / 2
    return (150, 150, 250)[mixed % 3], (1 + mixed % 20) / 20, ("base", "")[mixed % 2], pain


def injection_rows(patients: range) -> Iterator[Row]:
    """The columns of sessions_app.Injection."""
    for series in visits(patients):
        for session_no in range(1, series.treatments + 1):
            for lesion in series.lesions:
                strength, volume, technique, pain = injection_facts(series, session_no, lesion)
                yield {
                    "session_id": series.session_key(session_no),
                    "lesion_id": series.lesion_key(lesion),
                    "agent": "sts",
                    "concentration_mg_ml": strength,
                    "volume_ml": volume,
                    "technique": technique,
                    "pain_vas": pain,
                }


def injection_sheet(patients: range) -> Iterator[tuple]:
    """The same as rows of the data sheet, beginning with the names of the columns."""
    yield (
        "patient_id", "series_no", "session_no", "lesion_id",
        "agent", "concentration_mg_ml", "volume_ml", "technique", "pain_vas",
    )  # fmt: skip
    for series in visits(patients):
        for session_no in range(1, series.treatments + 1):
            for lesion in series.lesions:
                key = study_id(series.patient), series.series_no, session_no, lesion_id(lesion)
                strength, volume, technique, pain = injection_facts(series, session_no, lesion)
                yield *key, "sts", strength, volume, technique, pain


def side_effect_rows(patients: range) -> Iterator[Row]:
    """The columns of sessions_app.SideEffect: of every tenth session one."""
    for series in visits(patients):
        for session_no in range(1, series.treatments + 1):
            if (series.number * SESSIONS + session_no) % 10 == 0:
                yield {
                    "patient_id": series.patient,
                    "series_id": series.number,
                    "session_id": series.session_key(session_no),
                    "lesion_id": series.lesion_key(series.lesions[0]),
                    "term": ("injection_site_pain", "skin_ulceration", "haematoma")[series.number % 3],
                    "grade": 1 + series.number % 3,
                    "onset_on": series.held_on(session_no),
                    "serious": False,
                }
