"""Invented patients, dated from today, so that today's list, calls and alerts have something to show.

They are written as data sheets and imported like any other, so that the import's own rules hold for them.
"""

from collections import defaultdict
from datetime import date, timedelta

from lesions.models import Lesion, Patient, PatientIdentity
from lesions.services import identity_as_seen, write_identity
from sessions_app.datasheets.columns import SHEETS
from sessions_app.datasheets.raw import RawSheet, RawSheets
from sessions_app.drafts import open_draft, plan_of, save_draft, texts_of
from sessions_app.entries import lesion_field
from sessions_app.models import Series
from stsclinic.clinics.models import User
from stsclinic.demo.clinics import INVENTED

NUMBER_WORDS = ("One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")

DRAFT_PATIENT = "DEMO-02"
"""The patient whose session sheet the nurse left open, with a higher concentration than last time."""

LOT = "STS-2409"
"""The lot of every weekly treatment here: one that a clinic could enter as recalled."""


class _Sheets:
    """Data sheets that are being written, with the days counted from today."""

    def __init__(self, today: date):
        self.today = today
        self.rows: dict[str, list[dict[str, str]]] = defaultdict(list)

    def day(self, ago: int) -> str:
        return (self.today - timedelta(days=ago)).isoformat()

    def add(self, sheet: str, **values: object) -> None:
        self.rows[sheet].append({name: str(value) for name, value in values.items()})

    def patient(self, number: int, *, offered: int, **values: object) -> str:
        patient_id = f"DEMO-{number:02}"
        usual = {
            "sex": "female",
            "birth_year": 1955 + 3 * number,
            "diagnosis": "lcssc",
            "raynaud": "no",
            "sts_hypersensitivity": "no",
            "pregnant": "no",
            "breast_feeding": "no",
            "offered_on": self.day(offered),
            "consented_on": self.day(offered - 2),
        }
        self.add("patients", patient_id=patient_id, clinic=INVENTED, **(usual | values))
        return patient_id

    def lesion(
        self, patient_id: str, lesion_id: str, body_site: str, laterality: str, **values: object
    ) -> None:
        usual = {"lesion_type": "nodule", "subtype": "dystrophic", "pain_vas": 6, "dysfunction": "yes"}
        place = {"body_site": body_site, "laterality": laterality}
        self.add("lesions", patient_id=patient_id, lesion_id=lesion_id, **place, **(usual | values))

    def series(self, patient_id: str, lesions: dict[str, str], *, began: int, **values: object) -> None:
        usual = {"protocol": "weekly4", "status": "active", "started_on": self.day(began)}
        self.add("series", patient_id=patient_id, series_no=1, **(usual | values))
        for lesion_id, arm in lesions.items():
            self.add("series_lesions", patient_id=patient_id, series_no=1, lesion_id=lesion_id, arm=arm)

    def treatments(self, patient_id: str, lesions: tuple[str, ...], *days_ago: int) -> None:
        """One treatment on each of these days: the lesions shrink, and the scores fall."""
        for number, ago in enumerate(days_ago, start=1):
            visit = {"patient_id": patient_id, "series_no": 1, "session_no": number}
            scores = {"ptga": max(1, 8 - number), "phga": max(1, 7 - number)}
            self.add(
                "sessions", **visit, kind="treatment", held_on=self.day(ago), performed_by="nurse", **scores
            )
            for lesion_id in lesions:
                seen = {
                    "longest_mm": 13 - number,
                    "widest_mm": 9 - number,
                    "ulcer": "no",
                    "inflammation": "no",
                }
                self.add("session_lesions", **visit, lesion_id=lesion_id, status="present", **seen)
                given = {"agent": "sts", "concentration_mg_ml": 150, "volume_ml": "0.5", "technique": "base"}
                given |= {"lot_number": LOT}
                self.add("injections", **visit, lesion_id=lesion_id, pain_vas=5, **given)

    def raw(self) -> RawSheets:
        sheets = {}
        for name, rows in self.rows.items():
            columns = tuple(column.name for column in SHEETS[name].columns)
            sheets[name] = RawSheet(columns)
            for number, row in enumerate(rows, start=2):
                sheets[name].add(number, tuple(row.get(column, "") for column in columns))
        return RawSheets(sheets=sheets)


def invented_sheets(today: date) -> RawSheets:
    """The invented patients as data sheets, as they stand on a day."""
    sheets = _Sheets(today)
    _vasodilator_stopped(sheets)
    _higher_concentration(sheets)
    _overdue_with_infection(sheets)
    _follow_up_due(sheets)
    _not_decided(sheets)
    _not_begun(sheets)
    _blinded(sheets)
    _withdrawn(sheets)
    _to_be_called(sheets)
    _pregnant(sheets)
    return sheets.raw()


def _vasodilator_stopped(sheets: _Sheets) -> None:
    """Due today; a finger, Raynaud's phenomenon, and a vasodilator stopped three months ago."""
    patient = sheets.patient(1, offered=20, raynaud="yes", lesion_count=6, lesion_count_is_minimum="no")
    sheets.lesion(patient, "L01", "index_finger", "left")
    sheets.lesion(patient, "L02", "elbow", "right")
    taken = {"started_on": "2021-03", "stopped_on": sheets.day(91)}
    sheets.add("medications", patient_id=patient, name="bosentan", role="vasodilator", **taken)
    sheets.series(patient, {"L01": "", "L02": ""}, began=7)
    sheets.treatments(patient, ("L01", "L02"), 7)


def _higher_concentration(sheets: _Sheets) -> None:
    """The fourth treatment is being written, with 250 mg/ml after 150 and without an approval."""
    patient = sheets.patient(2, offered=40, diagnosis="dm")
    sheets.lesion(patient, "L01", "elbow", "left", lesion_type="plaque")
    sheets.series(patient, {"L01": ""}, began=21)
    sheets.treatments(patient, ("L01",), 21, 14, 7)


def _overdue_with_infection(sheets: _Sheets) -> None:
    """Overdue by days, with an infection that is not over."""
    patient = sheets.patient(3, offered=60, diagnosis="dcssc", sex="male", pregnant="", breast_feeding="")
    sheets.lesion(patient, "L01", "knee", "right")
    sheets.series(patient, {"L01": ""}, began=43)
    sheets.treatments(patient, ("L01",), 43, 36)
    sheets.add(
        "side_effects",
        patient_id=patient,
        series_no=1,
        session_no=2,
        lesion_id="L01",
        term="injection_site_infection",
        grade=2,
        onset_on=sheets.day(33),
        serious="no",
        causality="probable",
        action="oral_antibiotic",
        outcome="recovering",
    )


def _follow_up_due(sheets: _Sheets) -> None:
    """Four treatments are over; the follow-up is due."""
    patient = sheets.patient(4, offered=140, overlap_with="ssc;dm", diagnosis="overlap")
    sheets.lesion(patient, "L01", "thumb", "right")
    sheets.series(patient, {"L01": ""}, began=119, status="completed")
    sheets.treatments(patient, ("L01",), 119, 112, 105, 98)


def _not_decided(sheets: _Sheets) -> None:
    """Offered, and not decided yet."""
    patient = sheets.patient(5, offered=5, consented_on="")
    sheets.lesion(patient, "L01", "hip", "left")


def _not_begun(sheets: _Sheets) -> None:
    """Consented; the first session waits."""
    patient = sheets.patient(6, offered=9)
    sheets.lesion(patient, "L01", "forearm", "left")
    sheets.lesion(patient, "L02", "forearm", "right")
    sheets.series(patient, {"L01": "", "L02": ""}, began=0, status="planned")


def _blinded(sheets: _Sheets) -> None:
    """Two lesions of a blinded comparison whose allocation is closed."""
    patient = sheets.patient(7, offered=45, diagnosis="morphea")
    arms = {"L01": "control", "L02": "active"}
    sheets.lesion(patient, "L01", "elbow", "left")
    sheets.lesion(patient, "L02", "elbow", "right")
    sheets.series(patient, arms, began=30, protocol="placebo3")
    visit = {"patient_id": patient, "series_no": 1, "session_no": 1}
    sheets.add("sessions", **visit, kind="treatment", held_on=sheets.day(30), performed_by="clinician")
    for lesion_id, arm in arms.items():
        seen = {"longest_mm": 5, "widest_mm": 4, "ulcer": "no", "inflammation": "no", "pga": 3}
        sheets.add("session_lesions", **visit, lesion_id=lesion_id, status="present", **seen)
        given = {"agent": "sts", "concentration_mg_ml": 40} if arm == "active" else {"agent": "saline"}
        sheets.add("injections", **visit, lesion_id=lesion_id, volume_ml="0.02", pain_vas=3, **given)


def _withdrawn(sheets: _Sheets) -> None:
    """Withdrew after one treatment: nothing is due any more."""
    patient = sheets.patient(
        8, offered=30, withdrawn_on=sheets.day(10), withdrawal_reason="Moved to another town"
    )
    sheets.lesion(patient, "L01", "heel", "left")
    reason = {"status": "stopped", "stop_reason": "patient_choice"}
    sheets.series(patient, {"L01": ""}, began=17, **reason)
    sheets.treatments(patient, ("L01",), 17)


def _to_be_called(sheets: _Sheets) -> None:
    """Treated three days ago; the brownish discolouration of days 2 to 4 is there."""
    patient = sheets.patient(9, offered=25, diagnosis="jdm", birth_year=sheets.today.year - 24)
    sheets.lesion(patient, "L01", "lower_leg", "left", lesion_type="papule")
    sheets.series(patient, {"L01": ""}, began=10)
    sheets.treatments(patient, ("L01",), 10, 3)
    sheets.add(
        "side_effects",
        patient_id=patient,
        series_no=1,
        session_no=2,
        lesion_id="L01",
        term="skin_discolouration",
        term_detail="brownish",
        grade=1,
        onset_on=sheets.day(1),
        serious="no",
        causality="probable",
        action="none",
        outcome="recovering",
    )


def _pregnant(sheets: _Sheets) -> None:
    """Due, and recorded as pregnant since: the session cannot be completed."""
    patient = sheets.patient(10, offered=30, birth_year=sheets.today.year - 31, pregnant="yes")
    sheets.lesion(patient, "L01", "shoulder", "right")
    sheets.series(patient, {"L01": ""}, began=14)
    sheets.treatments(patient, ("L01",), 14)


def write_identities(*, by: str) -> None:
    """Give every invented patient a name that says that it is invented."""
    patients = Patient.objects.filter(clinic__code=INVENTED).order_by("study_id")
    for number, (patient, word) in enumerate(zip(patients, NUMBER_WORDS, strict=True), start=1):
        values = {
            "name": f"Invented Patient {word}",
            "date_of_birth": date.fromisoformat(f"{patient.birth_year}-01-{number:02}"),
            "national_number": f"INVENTED-{number:04}",
            "telephone": f"00 00 00 {number:02}",
        }
        unseen = identity_as_seen(PatientIdentity())
        write_identity(patient=patient, values=values, seen=unseen, by=by, source="command")


def leave_draft(nurse: User) -> None:
    """Leave a session sheet open, half written, with a higher concentration than last time."""
    series = Series.objects.select_related("patient__clinic", "protocol").get(patient__study_id=DRAFT_PATIENT)
    draft = open_draft(series=series, kind="treatment", by=nurse)
    loaded = texts_of(draft)
    lesion = Lesion.objects.get(patient=series.patient)
    typed = loaded | {
        "ptga": "5",
        "all-concentration_mg_ml": "250",
        lesion_field(lesion.pk, "longest_mm"): "9,5",
        lesion_field(lesion.pk, "volume_ml"): "0,4",
    }
    names = plan_of(draft, nurse).field_names
    save_draft(draft=draft, names=names, typed=typed, loaded=loaded, by=nurse)
