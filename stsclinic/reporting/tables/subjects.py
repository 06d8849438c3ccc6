"""Who was treated in a controlled protocol: a line for each subject, as table II of report 001 has it."""

from stsclinic.clinical.terms import DIAGNOSIS, DISEASE_STATUS, SEX
from stsclinic.reporting.records import PatientRecord
from stsclinic.reporting.rows import Behind, LesionIn, behind
from stsclinic.reporting.selection import Course
from stsclinic.reporting.summary import Report
from stsclinic.reporting.tables.facts import age_on, names_taken_on, years_since_onset
from stsclinic.reporting.tables.table import Column, Table

FOOTNOTES = (
    "Subjects: every patient with a treatment in a controlled protocol, whether or not the series counts. Age by the "
    "year of birth; race and ethnicity as the patient says; disease status as last recorded. Duration: from the earliest recorded onset of a lesion of "
    "the series to its first treatment; a year or a month counts from its middle. Medication: taken at the first "
    "treatment, by name; one without dates counts as taken. As table II of report 001.",
)


def subjects_table(report: Report) -> Table | None:
    """None where nobody was treated in a controlled protocol. It tells no arm, so it stands while these are closed."""
    subjects: list[tuple[PatientRecord, Course]] = []
    for patient, courses in report.chosen.patients:
        controlled = [one for one in courses if one.series.is_controlled and one.treatment_count]
        if controlled:
            subjects.append((patient, min(controlled, key=lambda one: one.first_treatment_on)))
    if not subjects:
        return None
    columns = (
        Column("subject", "Subject"),
        Column("age", "Age", "whole", "years"),
        Column("sex", "Sex", "code", labels=SEX),
        Column("race", "Race", is_free_text=True),
        Column("ethnicity", "Ethnicity", is_free_text=True),
        Column("diagnosis", "Diagnosis", "code", labels=DIAGNOSIS),
        Column("disease_status", "Disease status", "code", labels=DISEASE_STATUS),
        Column("lesions", "Lesions", "count"),
        Column("duration", "Duration", "number", "years", 1),
        Column("medication", "Medication", is_free_text=True),
    )

    def find(row: int, column: str) -> Behind | None:
        patient, course = subjects[row]
        if column == "age":
            return behind("patients", [patient])
        return behind("lesions", [LesionIn(course, lesion_id) for lesion_id in course.series.lesions])

    return Table(
        "subjects",
        "Subjects of controlled protocols at their first treatment",
        columns,
        [_row(patient, course) for patient, course in subjects],
        FOOTNOTES,
        section="patients",
        behind=find,
        is_individual=True,
    )


def _row(patient: PatientRecord, course: Course) -> tuple:
    day, lesion_ids = course.first_treatment_on, course.series.lesions
    treated = [lesion for lesion_id in lesion_ids if (lesion := patient.lesions.get(lesion_id))]
    return (
        patient.patient_id,
        age_on(patient, day),
        patient.sex,
        _words(patient.race),
        _words(patient.ethnicity),
        patient.diagnosis,
        patient.disease_status,
        len(lesion_ids),
        years_since_onset(treated, day),
        ", ".join(sorted(names_taken_on(patient, day))),
    )


def _words(typed: str) -> str:
    """`not_hispanic` as people read it."""
    return typed[:1].upper() + typed[1:].replace("_", " ")
