"""Enrolling a patient: offered, eligible, consented or not; withdrawing."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from lesions.forms.patient import EnrolForm
from lesions.models import Patient
from lesions.selectors import clinics_for, get_patient
from lesions.services import enrol_patient
from lesions.views.pages import posted, record_page, save_or_show
from sessions_app.enrolment import (
    OUTCOME,
    decide_enrolment,
    eligibility_of,
    protocols_for,
    undo_withdrawal,
    withdraw_patient,
)
from sessions_app.forms.enrolment import DecideForm, ProtocolChoice, UndoWithdrawalForm, WithdrawForm
from sessions_app.models import Protocol
from sessions_app.series import open_ones
from stsclinic.access import clinics_where, require
from stsclinic.audit.services import StaleRecord
from stsclinic.clinics.clock import today_in


@require("enrol")
@require_http_methods(["GET", "POST"])
def enrol(request):
    """A new patient, with the identity in a section of its own."""
    clinics = clinics_for(request.user, "enrol")
    form = EnrolForm(
        posted(request),
        clinics=clinics,
        with_identity=clinics_where(request.user, "enrol") <= clinics_where(request.user, "see_identity"),
        # The clinic is chosen in the form itself; no clinic's day is later than this one.
        today=max(today_in(clinic) for clinic in clinics),
    )
    return save_or_show(
        request,
        form,
        None,
        save=lambda form: enrol_patient(
            values=form.values(), identity=form.identity_values(), by=request.user.username
        ),
        after=lambda saved: (
            f"Patient {saved.study_id} is recorded.",
            reverse("enrol_decide", args=[saved.pk]),
        ),
        title="Enrol a patient",
        lead="First who is offered the treatment; then the protocol's criteria and the consent.",
        button="Save and go on to the criteria",
    )


@require("enrol")
@require_http_methods(["GET", "POST"])
def enrol_decide(request, pk):
    """Each criterion of a protocol with its answer and reason, and what the offer came to."""
    patient = get_patient(request.user, "enrol", pk)
    protocols = protocols_for(patient.clinic)
    protocol = _chosen(request, patient, protocols)
    today = today_in(patient.clinic)
    form = DecideForm(posted(request), record=patient, protocol=protocol, today=today)

    def save(form: DecideForm) -> Patient:
        return decide_enrolment(
            patient=patient,
            protocol=protocol,
            outcome=form.cleaned_data["outcome"],
            consented_on=form.cleaned_data["consented_on"],
            answers=form.answers(),
            seen_version=form.cleaned_data["version"],
            by=request.user.username,
            reason=form.cleaned_data["reason"],
        )

    answers = form.answers() if form.is_bound and form.is_valid() else None
    judged = eligibility_of(patient, protocol, on=today, answers=answers)
    return save_or_show(
        request,
        form,
        patient,
        save=save,
        after=lambda saved: (_said(saved), _next_step(saved)),
        title="Eligibility and consent",
        template="sessions_app/enrol_decide.html",
        protocol=protocol,
        chooser=ProtocolChoice(initial={"protocol": protocol.code}, protocols=protocols),
        rows=[
            {"criterion": criterion, "answer": f"answer_{criterion.code.removeprefix('other_')}"}
            | _where_to_record(patient, criterion.code)
            for criterion in judged.criteria
        ],
        is_eligible=judged.met,
    )


@require("enrol")
@require_http_methods(["GET", "POST"])
def patient_withdraw(request, pk):
    """Withdraw a patient, correct the withdrawal, or take a mistaken one back."""
    patient = get_patient(request.user, "enrol", pk)
    today = today_in(patient.clinic)
    undo = UndoWithdrawalForm(
        request.POST if "undo" in request.POST else None, initial={"version": patient.version}
    )
    if "undo" in request.POST:
        return _undo(request, patient, undo)
    count = open_ones(patient).count()
    form = WithdrawForm(posted(request), record=patient, open_series=count, today=today)
    return save_or_show(
        request,
        form,
        patient,
        save=lambda form: withdraw_patient(
            patient=patient,
            withdrawn_on=form.cleaned_data["withdrawn_on"],
            withdrawal_reason=form.cleaned_data["withdrawal_reason"],
            stop_series=form.cleaned_data.get("stop_series", False),
            seen_version=form.cleaned_data["version"],
            by=request.user.username,
        ),
        after=lambda saved: (
            f"The withdrawal of {saved.study_id} is recorded. All data are kept.",
            reverse("patient", args=[saved.pk]),
        ),
        title=f"Withdraw {patient.study_id}",
        template="sessions_app/withdraw.html",
        undo=undo,
    )


def _undo(request: HttpRequest, patient: Patient, undo: UndoWithdrawalForm) -> HttpResponse:
    if undo.is_valid():
        try:
            undo_withdrawal(
                patient=patient,
                seen_version=undo.cleaned_data["version"],
                by=request.user.username,
                reason=undo.cleaned_data["undo_reason"],
            )
        except StaleRecord:
            undo.add_error(None, "Somebody else changed the patient since you opened this. Look again.")
        except ValidationError as error:
            undo.add_error(None, error)
        else:
            messages.success(request, "The withdrawal is taken back. Series that were stopped stay stopped.")
            return redirect("patient", patient.pk)
    patient = get_patient(request.user, "enrol", patient.pk)
    form = WithdrawForm(
        record=patient, open_series=open_ones(patient).count(), today=today_in(patient.clinic)
    )
    return record_page(
        request,
        form,
        patient,
        title=f"Withdraw {patient.study_id}",
        template="sessions_app/withdraw.html",
        undo=undo,
    )


def _chosen(request: HttpRequest, patient: Patient, protocols: list[Protocol]) -> Protocol:
    """The protocol that the address or the form names; else the one judged before; else the first."""
    code = request.POST.get("protocol") or request.GET.get("protocol")
    by_code = {protocol.code: protocol for protocol in protocols}
    if code:
        if code not in by_code:
            raise Http404
        return by_code[code]
    judged = [by_code[known] for known in patient.criteria_met if known in by_code]
    return judged[-1] if judged else protocols[0]


def _said(patient: Patient) -> str:
    if patient.consented_on:
        return "The consent is recorded."
    if patient.not_enrolled_reason:
        return f"Recorded: {OUTCOME[patient.not_enrolled_reason].lower()}."
    return "The answers are saved."


def _next_step(patient: Patient) -> str:
    """After a consent the lesions, then the first series; without one the patient."""
    if patient.consented_on and not patient.series.exists():
        return reverse("series_new" if patient.lesions.exists() else "lesion_new", args=[patient.pk])
    return reverse("patient", args=[patient.pk])


_FIELD_OF = {
    "age": "birth_year",
    "hypersensitivity": "sts_hypersensitivity",
    "pregnancy": "pregnant",
    "breast_feeding": "breast_feeding",
}


def _where_to_record(patient: Patient, code: str) -> dict:
    if code in _FIELD_OF:
        return {
            "url": f"{reverse('patient_edit', args=[patient.pk])}#id_{_FIELD_OF[code]}",
            "action": "Change",
        }
    if code.startswith("other_"):
        return {}
    return {"url": reverse("lesion_new", args=[patient.pk]), "action": "Add a lesion"}
