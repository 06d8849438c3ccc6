"""Side effects of a session, of lesions, or of the time between: recorded and changed."""

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from lesions.models import Patient
from lesions.selectors import get_patient
from lesions.views.pages import save_or_show
from sessions_app.forms.side_effects import SideEffectForm, belongs_to, is_key
from sessions_app.models import SessionDraft, SideEffect
from sessions_app.selectors import side_effects_for, today_in
from sessions_app.side_effects import change_side_effect, record_side_effects
from stsclinic.access import may, require

TEMPLATE = "sessions_app/side_effect_form.html"


@require("record_session")
@require_http_methods(["GET", "HEAD", "POST"])
def side_effect_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Record a side effect. The address may name a `session`, a `series`, a `draft` and `lesion`s."""
    patient = get_patient(request.user, "record_session", pk)
    posted = request.POST if request.method == "POST" else None
    draft = _draft(patient, (posted or request.GET).get("draft", ""))
    form = SideEffectForm(posted, today=today_in(patient.clinic), patient=patient)
    if posted is None:
        form.initial = _preset(form, request.GET, draft)
    elif form.names_unknown_rows():
        raise Http404

    def save(form: SideEffectForm) -> list[SideEffect]:
        return record_side_effects(
            patient=patient, lesions=form.chosen_lesions(), values=form.values(), by=request.user.username
        )

    def after(rows: list[SideEffect]) -> tuple[str, str]:
        said = f"{rows[0].get_term_display()} was recorded"
        words = f"{said} for {len(rows)} lesions." if len(rows) > 1 else f"{said}."
        return words, _back(patient, draft)

    return save_or_show(
        request,
        form,
        patient,
        save=save,
        after=after,
        title="Record a side effect",
        template=TEMPLATE,
        draft=draft,
        back=_back(patient, draft),
    )


@require("record_session")
@require_http_methods(["GET", "HEAD", "POST"])
def side_effect_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a side effect, such as its end. A colleague's change in between is shown, with both values."""
    effect = get_object_or_404(side_effects_for(request.user, "record_session"), pk=pk)
    patient = effect.patient
    posted = request.POST if request.method == "POST" else None
    form = SideEffectForm(posted, today=today_in(patient.clinic), patient=patient, record=effect)
    if posted is not None and form.names_unknown_rows():
        raise Http404

    def save(form: SideEffectForm) -> SideEffect:
        return change_side_effect(
            effect=effect,
            values=form.values(),
            seen_version=form.cleaned_data["version"],
            by=request.user.username,
            reason=form.cleaned_data["reason"],
        )

    return save_or_show(
        request,
        form,
        patient,
        save=save,
        after=lambda row: (f"{row.get_term_display()} was changed.", _back(patient, None)),
        title="Change a side effect",
        template=TEMPLATE,
        effect=effect,
        back=_back(patient, None),
        may_strike_out=may(request.user, "correct", patient.clinic_id),
        may_see_history=may(request.user, "see_history", patient.clinic_id),
    )


def _back(patient: Patient, draft: SessionDraft | None) -> str:
    """Where the way goes on: the session sheet that asked for it, or the patient."""
    return reverse("draft", args=[draft.pk]) if draft else reverse("patient", args=[patient.pk])


def _draft(patient: Patient, text: str) -> SessionDraft | None:
    """The session sheet to go back to. Raises Http404 for one of another patient."""
    if not text:
        return None
    return get_object_or_404(SessionDraft, series__patient=patient, pk=_number(text))


def _preset(form: SideEffectForm, asked: QueryDict, draft: SessionDraft | None) -> dict:
    """What the address says that the side effect belongs to. Raises Http404 for another patient's rows."""
    preset: dict = {"lesions": asked.getlist("lesion")}
    if any(key not in form.lesion_rows for key in preset["lesions"]):
        raise Http404
    for kind, rows in (("series", form.series_rows), ("session", form.session_rows)):
        if asked.get(kind):
            preset["belongs_to"] = f"{kind}-{_number(asked[kind])}"
            if preset["belongs_to"] not in rows:
                raise Http404
    if draft and "belongs_to" not in preset:
        held = [row for row in form.session_rows.values() if row.series_id == draft.series_id]
        preset["belongs_to"] = belongs_to(draft.series_id, held[0].pk if held else None)
    return preset


def _number(text: str) -> int:
    """A row's number in an address. Raises Http404 for anything else."""
    if not is_key(text):
        raise Http404
    return int(text)
