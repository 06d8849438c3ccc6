"""Every sheet and column of the data sheet format, once: name, kind, range, vocabulary, privacy and meaning.

A column's `path` is where its value stands, from the row of the sheet's model: a plain field is
imported and exported by itself, a path with `__` is a reference that the importer resolves.
Source: the data sheet format; ranges as the database holds them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from stsclinic.clinical import terms
from stsclinic.clinical.dates import EARLIEST_DAY, LATEST_DAY
from stsclinic.clinical.numbers import LARGEST_LESION_MM

KINDS = {
    "key": "an ID of letters, digits, point, hyphen and underscore",
    "slug": "a code of small letters, digits, hyphen and underscore",
    "code": "one code of a vocabulary",
    "codes": "two or more codes of a vocabulary, joined by ;",
    "yes_no": "yes, no or nothing (not recorded)",
    "date": f"a date such as 2018-06-14, from {EARLIEST_DAY.year} to {LATEST_DAY.year}",
    "partial": f"a date such as 2018, 2018-06 or 2018-06-14, from {EARLIEST_DAY.year} to {LATEST_DAY.year}",
    "year": "a year such as 2018",
    "whole": "a whole number",
    "decimal": "a number with a decimal point",
    "text": "text",
}

PRIVACY = {
    "study_id": "the clinic's own pseudonym, which its list of patients can resolve",
    "place": "which clinic, protocol, series, session or lesion",
    "clinical": "a code, a yes or no, or a number, of what was seen or done",
    "birth": "when the patient was born",
    "date": "a day in the patient's life",
    "partial_date": "a day, month or year in the patient's life",
    "free_text": "typed by a person, and so able to hold what should not leave the clinic",
    "person": "who of the staff did it",
}
"""What a column can tell about a person. What leaves of each class is decided in sessions_app/dataout/plan.py."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: what it holds, what is valid, and what it means."""

    name: str
    label: str
    meaning: str
    kind: str
    privacy: str
    """A class of PRIVACY. It has no default: who adds a column decides."""
    path: str = ""
    """Where the value stands, seen from the sheet's model; empty: in the field of the same name."""
    is_key: bool = False
    required: bool = False
    vocabulary: Mapping[str, str] | None = None
    unit: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    above_low: bool = False
    """Whether `low` itself is left out."""
    places: int = 0
    """Decimals that a number may have."""
    max_length: int = 0
    """Characters that a text may have; 0: no limit."""
    betrays_allocation: bool = False
    """Left out while the allocation of a controlled protocol is closed."""

    @property
    def field(self) -> str:
        """The path of the value."""
        return self.path or self.name

    @property
    def is_free_text(self) -> bool:
        """Whether a person typed it, and so it may hold more than it should."""
        return self.privacy in ("free_text", "person")

    @property
    def is_reference(self) -> bool:
        """Whether the value stands in another row, to which this one refers."""
        return "__" in self.field


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One sheet: a table of the registry."""

    name: str
    label: str
    meaning: str
    model: str
    clinic_path: str
    """Where the clinic's id stands, seen from the model."""
    kept_paths: tuple[str, ...]
    """The rows that must not be struck out for this row to count; empty text: the row itself."""
    columns: tuple[Column, ...]
    series_path: str = ""
    """Where the series stands, seen from the model, if the row belongs to one."""

    @property
    def keys(self) -> tuple[Column, ...]:
        """The columns that tell the rows apart, and by which they are sorted."""
        return tuple(column for column in self.columns if column.is_key)

    def column(self, name: str) -> Column | None:
        """The column of that name, or None."""
        return next((column for column in self.columns if column.name == name), None)


def _text(name, label, meaning, max_length, **options):
    options.setdefault("privacy", "free_text")
    return Column(name=name, label=label, meaning=meaning, kind="text", max_length=max_length, **options)


def _code(name, label, meaning, vocabulary, **options):
    options |= {"kind": "code", "privacy": "clinical", "vocabulary": vocabulary}
    return Column(name=name, label=label, meaning=meaning, **options)


def _yes_no(name, label, meaning):
    return Column(
        name=name, label=label, meaning=meaning, kind="yes_no", privacy="clinical", vocabulary=terms.YES_NO
    )


def _date(name, label, meaning, **options):
    return Column(name=name, label=label, meaning=meaning, kind="date", privacy="date", **options)


def _partial(name, label, meaning, **options):
    options |= {"kind": "partial", "privacy": "partial_date"}
    return Column(name=name, label=label, meaning=meaning, **options)


def _whole(name, label, meaning, low, high, **options):
    options.setdefault("privacy", "clinical")
    options |= {"kind": "whole", "low": Decimal(low), "high": Decimal(high)}
    return Column(name=name, label=label, meaning=meaning, **options)


def _decimal(name, label, meaning, low, high, places, **options):
    return Column(
        name=name,
        label=label,
        meaning=meaning,
        kind="decimal",
        privacy="clinical",
        low=Decimal(low),
        high=Decimal(high),
        places=places,
        **options,
    )


def _patient_id(path, *, is_key=True):
    return Column(
        name="patient_id",
        label="Study ID",
        meaning="The study ID of the patient, unique in the database; never a name.",
        kind="key",
        privacy="study_id",
        path=path,
        is_key=is_key,
        required=True,
        max_length=40,
    )


def _lesion_id(
    path="lesion__lesion_id", *, required=True, meaning="The lesion's ID, unique within the patient."
):
    return Column(
        name="lesion_id",
        label="Lesion",
        meaning=meaning,
        kind="key",
        privacy="place",
        path=path,
        is_key=True,
        required=required,
        max_length=40,
    )


def _series_no(path, *, required=True):
    meaning = "The number of the series, 1, 2, … within the patient."
    return _whole(
        "series_no", "Series", meaning, 1, 9999, path=path, privacy="place", is_key=True, required=required
    )


def _session_no(path, *, required=True):
    meaning = "The number of the session, 1, 2, … by date within the series."
    return _whole(
        "session_no", "Session", meaning, 1, 9999, path=path, privacy="place", is_key=True, required=required
    )


_OF_SESSION = (
    _patient_id("session__series__patient__study_id"),
    _series_no("session__series__series_no"),
    _session_no("session__session_no"),
)
_SESSION_KEPT = ("", "session__", "session__series__", "session__series__patient__")

PATIENTS = Sheet(
    name="patients",
    label="Patients",
    meaning="One row for each patient who was offered the treatment.",
    model="lesions.Patient",
    clinic_path="clinic",
    kept_paths=("",),
    columns=(
        _patient_id("study_id"),
        Column(
            name="clinic",
            label="Clinic",
            meaning="The code of the clinic; a clinic that is not there is created.",
            kind="slug",
            privacy="place",
            path="clinic__code",
            required=True,
            max_length=40,
        ),
        _code("sex", "Sex", "Sex.", terms.SEX, required=True),
        _whole("birth_year", "Year of birth", "Year of birth.", 1880, 2100, privacy="birth"),
        _code("diagnosis", "Diagnosis", "Underlying disease.", terms.DIAGNOSIS, required=True),
        Column(
            name="overlap_with",
            label="Overlap of",
            meaning="The diseases of an overlap syndrome, two or more, joined by ;",
            kind="codes",
            privacy="clinical",
            vocabulary=terms.OVERLAP_WITH,
            max_length=60,
        ),
        _code("raynaud", "Raynaud", "Raynaud's phenomenon.", terms.YES_NO_UNKNOWN),
        _yes_no("sts_hypersensitivity", "Hypersensitivity", "Known hypersensitivity to sodium thiosulfate."),
        _yes_no("pregnant", "Pregnant", "Pregnancy."),
        _yes_no("breast_feeding", "Breast feeding", "Breast feeding."),
        _whole("lesion_count", "Lesions in all", "How many lesions the patient has in all.", 0, 100_000),
        _yes_no(
            "lesion_count_is_minimum", "At least so many", "Whether there are more lesions than counted."
        ),
        _code("disease_status", "Disease status", "Course of the disease.", terms.DISEASE_STATUS),
        _text("race", "Race", "Race, as the patient says.", 60),
        _text("ethnicity", "Ethnicity", "Ethnicity, as the patient says.", 60),
        _date("offered_on", "Offered on", "The day on which the treatment was offered."),
        _code(
            "not_enrolled_reason",
            "Not enrolled because",
            "Why the patient was not enrolled, for one who never consented.",
            terms.NOT_ENROLLED_REASON,
        ),
        _date("consented_on", "Consented on", "The day of consent."),
        _date("withdrawn_on", "Withdrawn on", "The day on which the patient withdrew."),
        _text("withdrawal_reason", "Reason of withdrawal", "Why, if the patient said.", 500),
    ),
)

MEDICATIONS = Sheet(
    name="medications",
    label="Medications",
    meaning="One row for each drug that the patient takes or took, and each start of it.",
    model="lesions.Medication",
    clinic_path="patient__clinic",
    kept_paths=("", "patient__"),
    columns=(
        _patient_id("patient__study_id"),
        _text("name", "Drug", "Name of the drug.", 120, is_key=True, required=True),
        _code("role", "Role", "What it is taken for.", terms.MEDICATION_ROLE, required=True),
        _text("dose", "Dose", "Dose, as written.", 200),
        _partial("started_on", "Started", "When it was started.", is_key=True),
        _partial("stopped_on", "Stopped", "When it was stopped; empty while it is taken."),
    ),
)

PRIOR_TREATMENTS = Sheet(
    name="prior_treatments",
    label="Earlier treatments",
    meaning="One row for each treatment of the calcinosis that was tried before.",
    model="lesions.PriorTreatment",
    clinic_path="patient__clinic",
    kept_paths=("", "patient__", "lesion__"),
    columns=(
        _patient_id("patient__study_id"),
        _lesion_id(required=False, meaning="The lesion that was treated; empty: all lesions."),
        _text("treatment", "Treatment", "What was tried.", 200, is_key=True, required=True),
        _partial("started_on", "Started", "When it was started.", is_key=True),
        _partial("stopped_on", "Stopped", "When it was stopped."),
        _code("response", "Response", "How the calcinosis responded.", terms.RESPONSE),
    ),
)

LESIONS = Sheet(
    name="lesions",
    label="Lesions",
    meaning="One row for each calcium deposit that is followed.",
    model="lesions.Lesion",
    clinic_path="patient__clinic",
    kept_paths=("", "patient__"),
    columns=(
        _patient_id("patient__study_id"),
        _lesion_id("lesion_id"),
        _code("body_site", "Body site", "Where on the body.", terms.BODY_SITE, required=True),
        _code("laterality", "Side", "The patient's own left or right.", terms.LATERALITY),
        _text("site_detail", "Detail of the site", "Where exactly.", 200),
        _code("lesion_type", "Type", "Type of the lesion.", terms.LESION_TYPE, required=True),
        _code("subtype", "Subtype", "Subtype of calcinosis.", terms.SUBTYPE, required=True),
        _partial("onset_on", "Onset", "When it appeared."),
        _decimal("pain_vas", "Pain (VAS)", "Average pain at enrolment, 0 none to 10 worst.", 0, 10, 1),
        _yes_no("dysfunction", "Dysfunction", "Whether it impairs function."),
    ),
)

SERIES = Sheet(
    name="series",
    label="Series",
    meaning="One row for each series of treatments under a protocol.",
    model="sessions_app.Series",
    clinic_path="patient__clinic",
    kept_paths=("", "patient__"),
    columns=(
        _patient_id("patient__study_id"),
        _series_no("series_no"),
        Column(
            name="protocol",
            label="Protocol",
            meaning="The code of the protocol; it must exist.",
            kind="slug",
            privacy="place",
            path="protocol__code",
            required=True,
            max_length=40,
        ),
        _date("started_on", "Started on", "The day on which the series was started.", required=True),
        _code("status", "Status", "Status of the series.", terms.SERIES_STATUS, required=True),
        _code("stop_reason", "Stopped because", "Why it was stopped; required then.", terms.STOP_REASON),
        _date(
            "high_concentration_approved_on",
            "High concentration approved on",
            "The individual approval that a protocol asks for above its usual concentration.",
        ),
        _text("high_concentration_reason", "Reason of the approval", "Why it was approved.", 500),
    ),
)

SERIES_LESIONS = Sheet(
    name="series_lesions",
    label="Lesions of the series",
    meaning="One row for each lesion that a series treats.",
    model="sessions_app.SeriesLesion",
    clinic_path="series__patient__clinic",
    kept_paths=("", "series__", "series__patient__", "lesion__"),
    series_path="series__",
    columns=(
        _patient_id("series__patient__study_id"),
        _series_no("series__series_no"),
        _lesion_id(),
        _code("arm", "Arm", "The arm, only in a controlled protocol.", terms.ARM, betrays_allocation=True),
    ),
)

SESSIONS = Sheet(
    name="sessions",
    label="Sessions",
    meaning="One row for each completed visit.",
    model="sessions_app.TreatmentSession",
    clinic_path="series__patient__clinic",
    kept_paths=("", "series__", "series__patient__"),
    series_path="series__",
    columns=(
        _patient_id("series__patient__study_id"),
        _series_no("series__series_no"),
        _session_no("session_no"),
        _code("kind", "Kind", "What the visit was for.", terms.SESSION_KIND, required=True),
        _date("held_on", "Held on", "The day of the visit in the clinic's time zone.", required=True),
        _whole("ptga", "PtGA", "Patient's global assessment of the past week, 1 best to 10 worst.", 1, 10),
        _whole("phga", "PhGA", "Physician's global assessment after the visit, 1 best to 10 worst.", 1, 10),
        _text("performed_by", "Performed by", "Initials or user name.", 150, privacy="person"),
        _text("note", "Note", "Note.", 0),
    ),
)

SESSION_LESIONS = Sheet(
    name="session_lesions",
    label="Lesions seen",
    meaning="One row for each lesion that was seen at a session. A gone lesion has no measures.",
    model="sessions_app.Assessment",
    clinic_path="session__series__patient__clinic",
    kept_paths=(*_SESSION_KEPT, "lesion__"),
    series_path="session__series__",
    columns=(
        *_OF_SESSION,
        _lesion_id(),
        _code("status", "Status", "Whether the lesion is there.", terms.LESION_STATUS, required=True),
        _decimal(
            "longest_mm",
            "Longest",
            "Longest measure.",
            0,
            int(LARGEST_LESION_MM),
            2,
            above_low=True,
            unit="mm",
        ),
        _decimal(
            "widest_mm",
            "Widest",
            "Widest measure across the longest.",
            0,
            int(LARGEST_LESION_MM),
            2,
            above_low=True,
            unit="mm",
        ),
        _code("size_source", "Size is", "Measured today, or looked at and as last time.", terms.SIZE_SOURCE),
        _yes_no("ulcer", "Ulcer", "Whether there is an ulcer."),
        _yes_no("inflammation", "Inflammation", "Whether it is inflamed."),
        _whole("pga", "PGA", "Physician's Global Assessment of the lesion, 0 clear to 4 severe.", 0, 4),
        _whole("observer_pga", "Observer's PGA", "The same by the independent observer.", 0, 4),
    ),
)

INJECTIONS = Sheet(
    name="injections",
    label="Injections",
    meaning="One row for each lesion that was injected at a session.",
    model="sessions_app.Injection",
    clinic_path="session__series__patient__clinic",
    kept_paths=(*_SESSION_KEPT, "lesion__"),
    series_path="session__series__",
    columns=(
        *_OF_SESSION,
        _lesion_id(),
        _code("agent", "Agent", "What was injected.", terms.AGENT, required=True, betrays_allocation=True),
        _decimal(
            "concentration_mg_ml",
            "Concentration",
            "Concentration as labelled; required for sodium thiosulfate.",
            0,
            1000,
            2,
            above_low=True,
            unit="mg/ml",
            betrays_allocation=True,
        ),
        _decimal("volume_ml", "Volume", "Volume.", 0, 100, 3, above_low=True, unit="ml", required=True),
        _code("technique", "Technique", "Where the needle went.", terms.TECHNIQUE),
        _code("anaesthesia", "Anaesthesia", "Anaesthesia.", terms.ANAESTHESIA),
        _decimal("pain_vas", "Pain (VAS)", "Pain of the injection, 0 none to 10 worst.", 0, 10, 1),
        _code("salt_form", "Salt form", "What the mg/ml counts.", terms.SALT_FORM, betrays_allocation=True),
        _text("lot_number", "Lot", "Lot number of the product.", 60, betrays_allocation=True),
        _text("needle", "Needle", "Needle.", 60),
        _code("dressing", "Dressing", "Dressing.", terms.DRESSING),
    ),
)

INFUSIONS = Sheet(
    name="infusions",
    label="Infusions",
    meaning="One row for each infusion into a vein.",
    model="sessions_app.Infusion",
    clinic_path="session__series__patient__clinic",
    kept_paths=_SESSION_KEPT,
    series_path="session__series__",
    columns=(
        *_OF_SESSION,
        _decimal("dose_g", "Dose", "Dose.", 0, 1000, 2, above_low=True, unit="g", required=True),
        _whole("duration_min", "Duration", "How long it ran.", 1, 1440, unit="min", required=True),
    ),
)

SIDE_EFFECTS = Sheet(
    name="side_effects",
    label="Side effects",
    meaning="One row for each side effect, after a session, at a lesion, or between.",
    model="sessions_app.SideEffect",
    clinic_path="patient__clinic",
    kept_paths=("", "patient__"),
    series_path="series__",
    columns=(
        _patient_id("patient__study_id"),
        _series_no("series__series_no", required=False),
        _session_no("session__session_no", required=False),
        _lesion_id(required=False),
        _code("term", "Term", "What happened.", terms.SIDE_EFFECT_TERM, is_key=True, required=True),
        _text("term_detail", "In words", "Detail; required for `other`.", 200, is_key=True),
        _whole("grade", "Grade", "Grade by CTCAE, 1 mild to 5 fatal.", 1, 5, required=True),
        _text("ctcae_version", "CTCAE version", "Edition of CTCAE.", 10),
        _date("onset_on", "Onset", "The day on which it began.", is_key=True, required=True),
        _date("resolved_on", "Resolved", "The day on which it was over."),
        _whole("lasted_minutes", "Lasted", "How long, if it was over within the day.", 0, 1440, unit="min"),
        _yes_no("serious", "Serious", "Whether it was serious by ICH E2A."),
        _code("causality", "Causality", "Whether the treatment caused it.", terms.CAUSALITY),
        _code("action", "Action", "What was done.", terms.ACTION),
        _code("outcome", "Outcome", "Outcome.", terms.SIDE_EFFECT_OUTCOME),
    ),
)

SHEETS = {
    sheet.name: sheet
    for sheet in (
        PATIENTS,
        MEDICATIONS,
        PRIOR_TREATMENTS,
        LESIONS,
        SERIES,
        SERIES_LESIONS,
        SESSIONS,
        SESSION_LESIONS,
        INJECTIONS,
        INFUSIONS,
        SIDE_EFFECTS,
    )
}
"""All sheets, in the order of the format. A sheet refers only to itself or, when imported, to IMPORT_ORDER before."""

IMPORT_ORDER = (
    "patients",
    "lesions",
    "series",
    "sessions",
    "medications",
    "prior_treatments",
    "series_lesions",
    "session_lesions",
    "injections",
    "infusions",
    "side_effects",
)
"""The order in which rows are written: what is referred to goes before, and the many last."""
