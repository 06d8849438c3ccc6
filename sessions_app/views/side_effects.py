"""Side effects: asked about, recorded, followed until they are over, and told to the sponsor."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lesions.banner import banner_of
from lesions.models import Patient
from lesions.selectors import get_patient
from lesions.views.pages import save_or_show
from sessions_app.forms.side_effects import (
    ObservationForm,
    SideEffectForm,
    SponsorForm,
    belongs_to,
    is_key,
)
from sessions_app.models import SessionDraft, SideEffect, TreatmentSession
from sessions_app.selectors import side_effects_for
from sessions_app.side_effect_pages import asking, event_page, last_session
from sessions_app.side_effects import (
    HOW,
    change_side_effect,
    keep_inquiry,
    observe,
    record_side_effects,
    tell_sponsor,
)
from stsclinic.access import may, require
from stsclinic.audit.services import StaleRecord
from stsclinic.clinical.expected import EXPECTED
from stsclinic.clinical.grading import VERSIONS
from stsclinic.clinical.terms import SIDE_EFFECT_TERM
from stsclinic.clinics.clock import today_in

ASK = "sessions_app/side_effect_ask.html"
FORM = "sessions_app/side_effect_form.html"
EVENT = "sessions_app/side_effect.html"


@require("record_session")
@require_http_methods(["GET", "HEAD", "POST"])
def side_effect_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask about the open side effects and the usual terms; with a `term`, record one.

    The address may name a `session`, a `series`, a `draft` and `lesion`s, the `days` after the session on
    which it began, and where to go on, as `next`.
    """
    patient = get_patient(request.user, "record_session", pk)
    posted = request.POST if request.method == "POST" else None
    asked = posted if posted is not None else request.GET
    draft = _draft(patient, asked.get("draft", ""))
    term = asked.get("term", "")
    last = _session(patient, asked.get("session", "")) or last_session(patient, draft)
    days = asked.get("days", "")
    form = SideEffectForm(
        posted,
        today=today_in(patient.clinic),
        patient=patient,
        term=term,
        last=last,
        began=int(days) if is_key(days) else None,
    )
    onward = _onward(asked, patient, draft)
    if posted is None:
        preset = _preset(form, asked, draft)
        if term not in SIDE_EFFECT_TERM:
            return _ask_page(request, patient, draft, onward, asked, last)
        form.initial.update(preset | {"term": term, "asked_today": True})
    elif form.names_unknown_rows():
        raise Http404

    def save(form: SideEffectForm) -> list[SideEffect]:
        return record_side_effects(
            patient=patient,
            lesions=form.chosen_lesions(),
            values=form.values(),
            by=request.user.username,
            asked=form.cleaned_data["asked_today"],
        )

    def after(rows: list[SideEffect]) -> tuple[str, str]:
        said = f"{rows[0].get_term_display()} was recorded"
        words = f"{said} for {len(rows)} lesions." if len(rows) > 1 else f"{said}."
        return words, reverse("side_effect", args=[rows[0].pk]) if rows[0].serious else onward

    return save_or_show(
        request,
        form,
        patient,
        save=save,
        after=after,
        title=SIDE_EFFECT_TERM.get(form.term_code, "Record a side effect"),
        template=FORM,
        draft=draft,
        onward=onward,
        back=f"{reverse('side_effect_new', args=[patient.pk])}?{_kept(asked, draft)}",
        when=next((one.when for one in EXPECTED if one.term == form.term_code), ""),
    )


@require("record_session")
@require_POST
def side_effects_asked(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep that the patient was asked today and told of nothing (more)."""
    patient = get_patient(request.user, "record_session", pk)
    draft = _draft(patient, request.POST.get("draft", ""))
    last = last_session(patient, draft)
    series = draft.series if draft else last.series if last else None
    kept = keep_inquiry(patient=patient, answer="nothing", series=series, by=request.user.username)
    said = (
        "nothing is kept as the answer"
        if kept.answer == "nothing"
        else "nothing more than was reported today"
    )
    messages.success(request, f"{patient.study_id} was asked: {said}.")
    return redirect(_onward(request.POST, patient, draft))


@require("see_patients")
@require_safe
def side_effect(request: HttpRequest, pk: int) -> HttpResponse:
    """One side effect: its facts, whether the sponsor was told in time, its course and photographs."""
    effect = get_object_or_404(_effects(request, "see_patients"), pk=pk)
    how = request.GET.get("how", "")
    form = ObservationForm(
        effect=effect, today=today_in(effect.patient.clinic), initial={"how": how} if how in HOW else {}
    )
    return _event_page(request, effect, observation=form, is_asking=how in HOW)


@require("record_session")
@require_POST
def side_effect_observe(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep how an open side effect is now: still there, better, worse or over."""
    effect = get_object_or_404(_effects(request, "record_session"), pk=pk)
    form = ObservationForm(request.POST, effect=effect, today=today_in(effect.patient.clinic))
    if form.is_valid():
        try:
            observe(
                effect=effect,
                how=form.cleaned_data["how"],
                seen=form.seen(),
                seen_version=form.cleaned_data["version"],
                by=request.user.username,
            )
        except StaleRecord:
            return _again_on_theirs(request, effect, observation=form)
        except ValidationError as error:
            form.refuse(error)
        else:
            words = HOW[form.cleaned_data["how"]].lower()
            messages.success(request, f"{effect.get_term_display()}: {words} is kept.")
            return redirect(_next(request.POST) or reverse("side_effect", args=[effect.pk]))
    return _event_page(request, effect, observation=form, is_asking=True)


@require("record_session")
@require_POST
def side_effect_sponsor(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep who was told of a serious side effect, and when."""
    effect = get_object_or_404(_effects(request, "record_session"), pk=pk)
    form = SponsorForm(request.POST)
    if form.is_valid():
        try:
            tell_sponsor(
                effect=effect,
                told_on=form.cleaned_data["told_on"],
                told_time=form.cleaned_data["told_time"],
                who=form.cleaned_data["who"],
                seen_version=form.cleaned_data["version"],
                by=request.user.username,
            )
        except StaleRecord:
            return _again_on_theirs(request, effect, sponsor=form)
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, "That the sponsor was told is kept.")
            return redirect("side_effect", effect.pk)
    return _event_page(request, effect, sponsor=form)


@require("record_session")
@require_http_methods(["GET", "HEAD", "POST"])
def side_effect_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a side effect, such as its end. A colleague's change in between is shown, with both values."""
    effect = get_object_or_404(_effects(request, "record_session"), pk=pk)
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

    back = reverse("side_effect", args=[effect.pk])
    return save_or_show(
        request,
        form,
        patient,
        save=save,
        after=lambda row: (f"{row.get_term_display()} was changed.", back),
        title="Change a side effect",
        template=FORM,
        effect=effect,
        back=back,
    )


def _effects(request: HttpRequest, right: str):
    return side_effects_for(request.user, right).select_related(
        "patient__clinic", "session__series", "series__protocol", "lesion"
    )


def _ask_page(
    request: HttpRequest,
    patient: Patient,
    draft: SessionDraft | None,
    onward: str,
    asked: QueryDict,
    last: TreatmentSession | None,
) -> HttpResponse:
    context = banner_of(request.user, patient) | {
        "patient": patient,
        "asking": asking(request.user, patient, last),
        "draft": draft,
        "onward": onward,
        "kept": _kept(asked, draft),
        "may_correct": may(request.user, "correct", patient.clinic_id),
        "here": request.get_full_path(),
    }
    return render(request, ASK, context)


def _event_page(
    request: HttpRequest,
    effect: SideEffect,
    *,
    observation: ObservationForm | None = None,
    sponsor: SponsorForm | None = None,
    **context,
) -> HttpResponse:
    patient = effect.patient
    today = today_in(patient.clinic)
    page = event_page(request.user, effect)
    context |= banner_of(request.user, patient) | {
        "patient": patient,
        "page": page,
        "effect": effect,
        "observation": observation or ObservationForm(effect=effect, today=today),
        "sponsor": sponsor or SponsorForm(initial={"told_on": today, "version": effect.version}),
        "onward": _next(request.POST or request.GET),
        "may_record": may(request.user, "record_session", patient.clinic_id),
        "may_strike_out": may(request.user, "correct", patient.clinic_id),
        "may_see_history": may(request.user, "see_history", patient.clinic_id),
    }
    return render(request, EVENT, context)


def _again_on_theirs(request: HttpRequest, effect: SideEffect, **forms) -> HttpResponse:
    """The page as it now is, with what was typed still in the form, and the version that is now seen."""
    theirs = get_object_or_404(_effects(request, "record_session"), pk=effect.pk)
    data = request.POST.copy()
    data["version"] = str(theirs.version)
    again = {
        "observation": lambda: ObservationForm(data, effect=theirs, today=today_in(theirs.patient.clinic)),
        "sponsor": lambda: SponsorForm(data),
    }
    shown = {name: again[name]() for name in forms}
    return _event_page(request, theirs, is_conflict=True, is_asking="observation" in forms, **shown)


def _onward(asked: QueryDict, patient: Patient, draft: SessionDraft | None) -> str:
    """Where the way goes on: the page named as `next`, the sheet that asked for it, or the patient."""
    if draft is not None:
        return reverse("draft", args=[draft.pk])
    return _next(asked) or reverse("patient", args=[patient.pk])


def _next(asked: QueryDict) -> str:
    """An address of this site, or nothing."""
    wanted = asked.get("next", "")
    is_ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if is_ours else ""


def _kept(asked: QueryDict, draft: SessionDraft | None) -> str:
    """What the address of the next step carries on, as a query."""
    kept = QueryDict(mutable=True)
    for name in ("session", "series", "lesion"):
        kept.setlist(name, asked.getlist(name))
    if draft is not None:
        kept["draft"] = str(draft.pk)
    elif _next(asked):
        kept["next"] = _next(asked)
    return kept.urlencode()


def _session(patient: Patient, text: str) -> TreatmentSession | None:
    """The session that the address names. Raises Http404 for one of another patient."""
    if not text:
        return None
    own = TreatmentSession.objects.filter(series__patient=patient, series__struck_out_at=None)
    return get_object_or_404(own.select_related("series__protocol"), pk=_number(text))


def _draft(patient: Patient, text: str) -> SessionDraft | None:
    """The session sheet to go back to. Raises Http404 for one of another patient."""
    if not text:
        return None
    return get_object_or_404(SessionDraft, series__patient=patient, pk=_number(text))


def _preset(form: SideEffectForm, asked: QueryDict, draft: SessionDraft | None) -> dict:
    """What the address says that the side effect belongs to. Raises Http404 for another patient's rows."""
    preset: dict = {"lesions": asked.getlist("lesion"), "ctcae_version": VERSIONS[0]}
    if any(key not in form.lesion_rows for key in preset["lesions"]):
        raise Http404
    if asked.get("series") and not asked.get("session"):
        preset |= {
            "belongs_to": f"series-{_number(asked['series'])}",
            "onset_when": "",
        }
        if preset["belongs_to"] not in form.series_rows:
            raise Http404
    elif form.last is not None:
        preset["belongs_to"] = belongs_to(form.last.series_id, form.last.pk)
    elif draft is not None:
        preset["belongs_to"] = belongs_to(draft.series_id, None)
    if not preset["lesions"] and len(form.treated) == 1:
        preset["lesions"] = [str(pk) for pk in form.treated if str(pk) in form.lesion_rows]
    return preset


def _number(text: str) -> int:
    """A row's number in an address. Raises Http404 for anything else."""
    if not is_key(text):
        raise Http404
    return int(text)
