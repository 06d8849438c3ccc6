"""Adding and changing lesions, medications and earlier treatments."""

from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from lesions.bodymap import MarkedLesion, outline, place
from lesions.figures import MIDLINE_WIDTH, UNPAIRED
from lesions.forms.base import RecordForm
from lesions.forms.places import read_place
from lesions.forms.records import LesionForm, MedicationForm, PriorTreatmentForm
from lesions.models import Lesion, Medication, Patient, PriorTreatment
from lesions.moves import put_back
from lesions.selectors import get_lesion, get_medication, get_patient, get_prior_treatment, next_lesion_id
from lesions.services import Record, add_record, change_record
from lesions.views.pages import posted, save_or_show
from stsclinic.access import require
from stsclinic.audit.services import StaleRecord
from stsclinic.clinics.clock import today_in


@dataclass(frozen=True)
class Kind:
    """One kind of record of a patient."""

    code: str
    """As the history and striking out call it."""
    words: str
    model: type[Lesion] | type[Medication] | type[PriorTreatment]
    form: type[RecordForm]
    new: str
    """The name of the address for a new one."""


LESION = Kind("lesion", "Lesion", Lesion, LesionForm, "lesion_new")
MEDICATION = Kind("medication", "Medication", Medication, MedicationForm, "medication_new")
PRIOR_TREATMENT = Kind(
    "prior_treatment", "Earlier treatment", PriorTreatment, PriorTreatmentForm, "prior_treatment_new"
)


@require("enrol")
@require_http_methods(["GET", "POST"])
def lesion_new(request, pk):
    """Add a lesion. The next free ID is proposed; begun on the body map, also where it is."""
    patient = get_patient(request.user, "enrol", pk)
    initial = {"lesion_id": next_lesion_id(patient)} | _pointed_at(request)
    return _new(request, patient, LESION, initial=initial, **_map_of(patient))


@require("change_records")
@require_http_methods(["GET", "POST"])
def lesion_edit(request, pk):
    """Change a lesion; moved on the body map, where it is comes from there."""
    lesion = get_lesion(request.user, "change_records", pk)
    return _edit(request, lesion, LESION, initial=_pointed_at(request), **_map_of(lesion.patient, lesion))


@require("change_records")
@require_POST
def lesion_put_back(request, pk):
    """Put a lesion back where it was before it was moved on the body map: a change like any other."""
    lesion = get_lesion(request.user, "change_records", pk)
    try:
        if request.POST.get("version") != str(lesion.version):
            raise StaleRecord(lesion)
        if put_back(lesion, by=request.user.username):
            messages.success(request, f"Lesion {lesion} is put back.")
    except StaleRecord:
        messages.error(request, f"Lesion {lesion} was changed meanwhile: it stays where it is now.")
    except ValidationError as error:
        messages.error(request, f"Lesion {lesion} stays where it is now. {error.messages[0]}")
    return redirect(_map_after_move(lesion))


@require("enrol")
@require_http_methods(["GET", "POST"])
def medication_new(request, pk):
    """Add a medication."""
    return _new(request, get_patient(request.user, "enrol", pk), MEDICATION)


@require("change_records")
@require_http_methods(["GET", "POST"])
def medication_edit(request, pk):
    """Change a medication; it is stopped by its date of stopping."""
    return _edit(request, get_medication(request.user, "change_records", pk), MEDICATION)


@require("enrol")
@require_http_methods(["GET", "POST"])
def prior_treatment_new(request, pk):
    """Add an earlier treatment."""
    return _new(request, get_patient(request.user, "enrol", pk), PRIOR_TREATMENT)


@require("change_records")
@require_http_methods(["GET", "POST"])
def prior_treatment_edit(request, pk):
    """Change an earlier treatment."""
    return _edit(request, get_prior_treatment(request.user, "change_records", pk), PRIOR_TREATMENT)


def _pointed_at(request: HttpRequest) -> dict:
    """What a point of the body map says of a lesion; nothing is saved before its form is."""
    put_at = read_place(request.POST.get("put_at", "")) if "begin" in request.POST else None
    return {"put_at": put_at} | put_at.named if put_at else {}


def _map_of(patient: Patient, chosen: Lesion | None = None) -> dict:
    """The body map beside the form of a lesion, with the patient's other lesions on it."""
    others = [
        MarkedLesion(
            label=lesion.lesion_id,
            body_site=lesion.body_site,
            laterality=lesion.laterality,
            url=reverse("lesion_edit", args=[lesion.pk]),
            text=lesion.site_detail,
            put_at=lesion.put_at,
        )
        for lesion in Lesion.objects.filter(patient=patient)
        if lesion != chosen
    ]
    derived = chosen and place(chosen.body_site, chosen.laterality)
    return {
        "outline": outline(others, every_view=True),
        "derived": derived,
        "unpaired": " ".join(sorted(UNPAIRED)),
        "midline": MIDLINE_WIDTH,
    }


def _sent(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to. One begun on the body map is not filled in yet."""
    return None if "begin" in request.POST else posted(request)


def _new(
    request: HttpRequest, patient: Patient, kind: Kind, initial: dict | None = None, **page
) -> HttpResponse:
    form = kind.form(_sent(request), patient=patient, today=today_in(patient.clinic), initial=initial or {})
    return save_or_show(
        request,
        form,
        patient,
        save=lambda form: add_record(kind.model(patient=patient, **form.values()), by=request.user.username),
        after=lambda saved: (f"{kind.words} {saved} is recorded.", _next_page(request, patient, kind)),
        title=f"New {kind.words.lower()}",
        can_add_another=True,
        **page,
    )


def _edit(request: HttpRequest, record, kind: Kind, initial: dict | None = None, **page) -> HttpResponse:
    patient = record.patient
    today = today_in(patient.clinic)
    form = kind.form(_sent(request), record=record, patient=patient, today=today, initial=initial)
    return save_or_show(
        request,
        form,
        patient,
        save=lambda form: change_record(
            record,
            form.values(),
            seen_version=form.cleaned_data["version"],
            by=request.user.username,
            reason=form.cleaned_data["reason"],
        ),
        after=lambda saved: (f"{kind.words} {saved} is saved.", _page_after_change(record, saved)),
        title=f"{kind.words} {record}",
        history=(kind.code, record.pk),
        can_be_struck_out=True,
        **page,
    )


def _page_after_change(before: Record, saved: Record) -> str:
    """The patient; after a move on the body map the map, which says what was moved and offers to undo it."""
    if isinstance(before, Lesion) and before.put_at != saved.put_at:
        return _map_after_move(saved)
    return reverse("patient", args=[saved.patient_id])


def _map_after_move(lesion: Lesion) -> str:
    return f"{reverse('body_map', args=[lesion.patient_id])}?moved={lesion.pk}"


def _next_page(request: HttpRequest, patient: Patient, kind: Kind) -> str:
    """Another of the kind where asked; during enrolment the next step; else the patient."""
    if "another" in request.POST:
        return reverse(kind.new, args=[patient.pk])
    is_enrolment = kind is LESION and not patient.series.exists() and not patient.not_enrolled_reason
    if is_enrolment and not patient.withdrawn_on:
        return reverse("series_new" if patient.consented_on else "enrol_decide", args=[patient.pk])
    return reverse("patient", args=[patient.pk])
