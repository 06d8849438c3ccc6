"""The session sheet: opened, saved, gone on with, completed, corrected; and the page of a completed session."""

import json

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lesions.at_hand import at_hand, keep_at_hand
from lesions.banner import banner_of
from lesions.models import Lesion
from sessions_app.allocation import allocation_visible
from sessions_app.draft_at_hand import draft_at_hand
from sessions_app.draft_news import news_of
from sessions_app.draft_readers import note_here
from sessions_app.draft_saving import REASON, DraftClosed, Holds, fields_held
from sessions_app.drafts import (
    AnotherSheetOpen,
    Completion,
    Saved,
    carry_anew,
    complete_draft,
    discard_draft,
    open_correction,
    open_draft,
    plan_of,
    reopen_draft,
    texts_of,
    write_sheet,
)
from sessions_app.enrolment import OPEN_SERIES, may_open_session
from sessions_app.entries import lesion_field
from sessions_app.lesion_order import in_order_of
from sessions_app.models import Series, SessionDraft, SideEffect, TreatmentSession
from sessions_app.open_effects import AT_ONCE, OpenEffect, answer_at_visit, open_effects
from sessions_app.patient_scores import patients_own_words, purposes_of, stands_by_patient
from sessions_app.selectors import draft_to_write
from sessions_app.session_alerts import (
    MAY_CHANGE_ALERTS,
    AlertCard,
    alerts_of_sheet,
    cards_of,
    notes_in,
    told_at,
)
from sessions_app.sheet import SheetPlan, day_of_visit, read_sheet
from sessions_app.sheet_arithmetic import add_up
from sessions_app.sheet_page import cells_of, in_words, label_of, rows_of, show_session, vials_of
from sessions_app.side_effect_pages import asked_after
from sessions_app.side_effects import is_over
from sessions_app.views.sheet_saving import shown_at
from stsclinic.access import clinics_where, may, require
from stsclinic.audit.services import StaleRecord
from stsclinic.clinical import terms
from stsclinic.clinical.alerts import ALERTS, MAY_BETRAY_ALLOCATION
from stsclinic.clinical.dosing import area_cm2, dose_mg, mg_per_cm2, session_totals
from stsclinic.clinical.facts import InjectionFacts
from stsclinic.clinical.limits import infusion_in_words, limits_in_words
from stsclinic.clinical.numbers import show_decimal
from stsclinic.clinical.scales import SCALES
from stsclinic.clinical.vials import Vial, injected_without_vial, lots_in_words, vial_uses
from stsclinic.clinics.clock import today_in
from stsclinic.clinics.sign_in import renew

SHOWN_SIDE_EFFECTS = 30
"""Of those since the last visit, at most: the latest."""


def _series_of(user, pk: int, right: str = "record_session") -> Series:
    return get_object_or_404(
        Series.objects.select_related("patient__clinic", "protocol").filter(
            patient__clinic__in=clinics_where(user, right), patient__struck_out_at=None
        ),
        pk=pk,
    )


def _draft_of(user, pk: int) -> SessionDraft:
    row = draft_to_write(user, pk)
    for name in ("opened_by", "saved_by"):
        if getattr(row, f"{name}_id") == user.pk:
            setattr(row, name, user)
    return row


@require("record_session")
@require_POST
def session_open(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Open a sheet for a visit, or go on with the one that is open."""
    series = _series_of(request.user, pk)
    if kind not in terms.SESSION_KIND:
        kind = "treatment"
    if refusal := _refusal(series, kind):
        messages.error(request, refusal)
        return redirect("patient", series.patient_id)
    draft = open_draft(series=series, kind=kind, by=request.user)
    if draft.kind != kind:
        messages.info(
            request, f"A sheet was open already: {draft.get_kind_display().lower()}. Finish it first."
        )
    return redirect("draft", draft.pk)


def _refusal(series: Series, kind: str) -> str:
    """Why no such sheet can be opened, or an empty text."""
    refusal = may_open_session(series.patient)
    if not refusal and kind == "treatment" and series.status not in OPEN_SERIES:
        refusal = f"This series is {series.get_status_display().lower()}. Open a new series for a treatment."
    return refusal


@require("correct")
@require_POST
def session_correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Open the sheet of a completed session to correct it."""
    session = _session_of(request.user, pk, "correct")
    if session.struck_out_at:
        messages.error(request, "This session was struck out and cannot be corrected.")
        return redirect("session", pk)
    return redirect("draft", open_correction(session=session, by=request.user).pk)


@require("see_patients")
@require_http_methods(["GET", "POST"])
def draft(request: HttpRequest, pk: int) -> HttpResponse:
    """The sheet: shown, saved unfinished, or completed."""
    if request.method == "POST":
        return _sent(request, pk)
    row = _draft_of(request.user, pk)
    if row.state != "open":
        return _closed(request, row, {})
    return _show(request, row, with_news=True)


def _sent(request: HttpRequest, pk: int) -> HttpResponse:
    """What was typed is kept first, then the button is heard."""
    with transaction.atomic():
        at_hand = draft_at_hand(request.user, pk)
        if at_hand is None:
            raise Http404
        row = at_hand.draft
        if row.state == "open":
            sheet = fields_held(row, request.user, at_hand.lesion_keys)
            holds = Holds(sheet)
            names = tuple(
                dict.fromkeys([*sheet.field_names, *(name for name in request.POST if name in holds)])
            )
            typed = _typed(request, names)
            saved = write_sheet(draft=row, names=names, typed=typed, loaded=_loaded(request), by=request.user)
    if row.state != "open":
        return _closed(request, _draft_of(request.user, pk), request.POST)
    if saved.conflicts or saved.by_others:
        return _show(request, _draft_of(request.user, pk), saved=saved, typed=typed)
    action = request.POST.get("action", "save")
    if action == "complete":
        return _complete(request, row)
    _note_here(request, row)
    if action.startswith("side-effect"):
        return redirect(f"{reverse('side_effect_new', args=[row.series.patient_id])}?draft={row.pk}")
    if action.startswith("photograph-") and action.removeprefix("photograph-").isdecimal():
        lesion = get_object_or_404(
            row.series.series_lesions, lesion_id=int(action.removeprefix("photograph-"))
        ).lesion_id
        return redirect(f"{reverse('photograph_new', args=[lesion])}?draft={row.pk}")
    if action.startswith("effect-") and row.corrects_id is None:
        return _answer(request, row, action)
    if action == "score":
        return redirect("score_invite", row.pk)
    row = _draft_of(request.user, pk)
    try:
        new = row.corrects_id is None
        carried = carry_anew(draft=row, plan=plan_of(row, request.user), by=request.user) if new else {}
    except DraftClosed as closed:
        return _closed(request, closed.draft, request.POST)
    if carried:
        return _show(request, row, completion=Completion(carried=carried))
    messages.success(request, "Saved. The sheet is unfinished; you or a colleague can go on with it.")
    return redirect("draft", pk)


def _answer(request: HttpRequest, row: SessionDraft, action: str) -> HttpResponse:
    """Keep how an open side effect is on the day of the visit; `action` is effect-KEY-VERSION-HOW."""
    pk, version, how = (*action.removeprefix("effect-").split("-"), "", "")[:3]
    patient = row.series.patient
    try:
        answer_at_visit(
            patient=patient,
            effect=int(pk) if pk.isdecimal() else 0,
            how=how,
            seen_version=int(version) if version.isdecimal() else 0,
            visit=day_of_visit(texts_of(row)) or today_in(patient.clinic),
            by=request.user.username,
        )
    except StaleRecord:
        messages.error(request, "Somebody wrote of this side effect meanwhile. Read it, then say how it is.")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect(f"{reverse('draft', args=[row.pk])}#step-before")


def _complete(request: HttpRequest, row: SessionDraft) -> HttpResponse:
    reason = request.POST.get(REASON, "")
    try:
        with transaction.atomic():
            completion = complete_draft(
                draft=row,
                by=request.user,
                without_missing=bool(request.POST.get("without_missing")),
                reason=reason,
            )
            renew(request)
    except DraftClosed as closed:
        return _closed(request, closed.draft, request.POST)
    except ValidationError as error:
        return _show(
            request, _draft_of(request.user, row.pk), reason_error=" ".join(error.messages), status=422
        )
    if completion.session is None:
        row = _draft_of(request.user, row.pk)
        return _show(request, row, completion=completion, reason=reason, status=422)
    done = "logged" if row.corrects_id is None else "corrected"
    messages.success(
        request, f"{completion.session.get_kind_display()} {completion.session.session_no} is {done}."
    )
    return redirect("session", completion.session.pk)


@require("see_patients")
@require_POST
def draft_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Close a sheet without a session."""
    row = _draft_of(request.user, pk)
    try:
        discard_draft(draft=row, by=request.user)
        messages.success(
            request, "The sheet was closed without a session. What was typed is kept; it can be opened again."
        )
    except DraftClosed as closed:
        return _closed(request, closed.draft, {})
    return redirect("draft", pk)


@require("see_patients")
@require_POST
def draft_reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """Open a sheet again that was closed without a session."""
    row = _draft_of(request.user, pk)
    refusal = "" if row.corrects_id else _refusal(row.series, row.kind)
    if not refusal:
        try:
            reopen_draft(row)
        except DraftClosed as closed:
            return _closed(request, closed.draft, {})
        except AnotherSheetOpen:
            refusal = "Another sheet of this series is open. Complete it or close it first."
    if refusal:
        messages.error(request, refusal)
    return redirect("draft", pk)


def _note_here(request: HttpRequest, row: SessionDraft) -> None:
    note_here(draft=row, user=request.user, shown_at=shown_at(request), has_typed=True)


def _typed(request: HttpRequest, names: tuple[str, ...]) -> dict[str, str]:
    return {name: request.POST.get(name, "").replace("\r\n", "\n").replace("\x00", "") for name in names}


def _loaded(request: HttpRequest) -> dict[str, str]:
    """What the sheet said when it was loaded, as the page sent it back."""
    try:
        loaded = json.loads(request.POST.get("loaded", "{}"))
    except (ValueError, RecursionError):
        return {}
    if not isinstance(loaded, dict):
        return {}
    return {name: text for name, text in loaded.items() if isinstance(text, str)}


def _closed(request: HttpRequest, row: SessionDraft, typed) -> HttpResponse:
    """The sheet was closed before: show the session that came of it, and what this person typed besides."""
    plan = plan_of(row, request.user)
    stood = texts_of(row)
    differences = []
    for name in plan.field_names if typed else ():
        mine = typed.get(name, "").replace("\r\n", "\n")
        if mine != stood.get(name, ""):
            differences.append({"label": label_of(plan, name), "mine": mine, "theirs": stood.get(name, "")})
    if row.state == "completed" and not differences:
        return redirect("session", row.session_id)
    return render(
        request,
        "sessions_app/sheet_closed.html",
        {
            "draft": row,
            "differences": differences,
            "stood": [] if row.state == "completed" else _stood(plan, stood),
            "patient": row.series.patient,
            **banner_of(request.user, row.series.patient),
        },
        status=409 if typed else 200,
    )


def _stood(plan: SheetPlan, values: dict[str, str]) -> list[dict[str, str]]:
    """What stands on a sheet, field by field, in words."""
    cells = cells_of(plan, values, plan.last_time(values), errors={}, conflicts={})
    stood = [
        {"label": label_of(plan, cell.name), "text": in_words(cell)} for cell in cells.values() if cell.value
    ]
    others = _of_sheet(plan, values).items()
    return stood + [
        {"label": label_of(plan, name), "text": text} for name, text in others if text and name not in cells
    ]


def _show(
    request: HttpRequest,
    row: SessionDraft,
    *,
    saved: Saved | None = None,
    typed: dict[str, str] | None = None,
    completion: Completion | None = None,
    reason: str = "",
    reason_error: str = "",
    with_news: bool = False,
    status: int = 200,
) -> HttpResponse:
    if request.method == "POST":
        _note_here(request, row)
    plan = plan_of(row, request.user)
    standing = list(row.fields.values_list("name", "value", "by_patient"))
    values = {name: text for name, text, _by_patient in standing}
    keep_at_hand(plan.series.patient)
    banner = banner_of(request.user, plan.series.patient)
    completion = completion or Completion()
    shown = dict(values)
    conflicts = {conflict.name: conflict for conflict in saved.conflicts} if saved else {}
    for name in conflicts:
        shown[name] = (typed or {})[name]
    alerts = completion.alerts or alerts_of_sheet(
        plan, shown, read_sheet(plan, shown), today_in(plan.series.patient.clinic)
    )
    visit = day_of_visit(shown) or today_in(plan.series.patient.clinic)
    asked = [] if plan.corrects else open_effects(plan.series.patient, visit)
    cards = cards_of(alerts, notes_in(shown), completion.unacknowledged)
    errors = completion.reading.errors
    last, sums = plan.last_time(shown), add_up(plan, shown)
    cells = cells_of(plan, shown, last, errors=errors, conflicts=conflicts)
    if any(by_patient for _name, _text, by_patient in standing):
        for name, words in patients_own_words(row).items():
            if name in cells:
                cells[name].by_patient = words
    if plan.corrects:
        show_session(plan, cells)
    summary = [
        {"url": f"#id_{name}", "text": f"{label_of(plan, name)}: {text}"} for name, text in errors.items()
    ]
    summary += [
        {
            "url": f"#id_{name}",
            "text": f"{label_of(plan, name)}: {conflict.by} typed “{conflict.theirs}” while you typed “{conflict.mine}”. "
            "Save again to keep yours.",
        }
        for name, conflict in conflicts.items()
    ]
    context = {
        "draft": row,
        "plan": plan,
        "series": plan.series,
        "patient": plan.series.patient,
        **banner,
        "cells": cells,
        "common": [cells[f"all-{name}"] for name in plan.common_fields if name != "lot_number"],
        "vials": vials_of(plan, sums, cells),
        "rows": rows_of(plan, sums, last, cells),
        "sums": sums,
        "limits": limits_in_words(plan.definition),
        "infusion_words": infusion_in_words(plan.definition),
        "same_last_time": plan.course.holds(day_of_visit(shown)),
        "loaded": json.dumps({name: "" for name in plan.field_names} | _of_sheet(plan, values)),
        "shown_at": timezone.now().isoformat(),
        "news": news_of(row, plan, request.user) if with_news else None,
        "error_rows": summary,
        "not_completed": _not_completed(completion, cards, bool(request.POST.get("without_missing"))),
        "reason": reason or values.get(REASON, ""),
        "reason_error": reason_error,
        "by_others": [
            {"label": label_of(plan, name), "value": text, "by": by}
            for name, (text, by) in (saved.by_others if saved else {}).items()
        ],
        "carried": [
            {"url": f"#id_{name}", "label": label_of(plan, name), "value": in_words(cells[name])}
            for name in completion.carried
        ],
        "is_overtaken": completion.is_overtaken,
        "missing": [
            {"url": f"#id_{name}", "text": text} for name, text in completion.reading.missing.items()
        ],
        "alerts": alerts,
        "alert_cards": cards,
        "may_change_alerts": MAY_CHANGE_ALERTS,
        "without_missing": bool(request.POST.get("without_missing")),
        "open_effects": asked,
        "answers_at_once": AT_ONCE,
        "side_effects": _side_effects(plan, asked),
        "patient_may_score": bool(purposes_of(row, plan.definition)),
        "ptga": SCALES["ptga"],
        "phga": SCALES["phga"],
    }
    return render(request, "sessions_app/sheet.html", context, status=status)


def _of_sheet(plan: SheetPlan, values: dict[str, str]) -> dict[str, str]:
    holds = Holds(plan)
    return {name: text for name, text in values.items() if name in holds}


def _not_completed(
    completion: Completion, cards: list[AlertCard], without_missing: bool
) -> list[dict[str, str]]:
    """What keeps the session from being logged, each with its place on the page."""
    if completion.alerts is None:
        return []
    stopping = {alert.key for alert in completion.alerts.stopping}
    rows = [
        {"url": f"#alert-{card.alert.key}", "text": card.alert.title}
        for card in cards
        if card.alert.key in stopping
    ]
    rows += [
        {"url": f"#id_{card.name}", "text": f"Write a note: {card.alert.title}"}
        for card in cards
        if card.is_open
    ]
    if completion.reading.missing and not without_missing:
        rows.append({"url": "#check", "text": "The protocol asks for more: see “Before it can be completed”"})
    return rows


def _side_effects(plan: SheetPlan, asked: list[OpenEffect]) -> list[SideEffect]:
    """Those since the last visit, but for those that are asked about."""
    own = {one.effect.pk for one in asked}
    rows = at_hand(plan.series.patient).side_effects[: -SHOWN_SIDE_EFFECTS - 1 : -1]
    held = [visit.held_on for visit in plan.course.visits if visit.series == plan.series.pk]
    held += [plan.corrects.held_on] if plan.corrects else []
    previous = max(held, default=None)
    for row in rows:
        row.is_open = not is_over(row)
    return [
        row
        for row in rows
        if row.pk not in own and (row.is_open or previous is None or row.onset_on >= previous)
    ]


def _session_of(user, pk: int, right: str) -> TreatmentSession:
    return get_object_or_404(
        TreatmentSession.everything.select_related("series__patient__clinic", "series__protocol").filter(
            series__patient__clinic__in=clinics_where(user, right), series__patient__struck_out_at=None
        ),
        pk=pk,
    )


@require("see_patients")
@require_GET
def session(request: HttpRequest, pk: int) -> HttpResponse:
    """A completed session, to read and to print."""
    row = _session_of(request.user, pk, "see_patients")
    shows = allocation_visible(request.user, row.series)
    by_patient = stands_by_patient(row)
    clinic = row.series.patient.clinic_id
    assessments = in_order_of(row.series, _rows(row, "assessments").select_related("lesion"))
    injections = in_order_of(row.series, _rows(row, "injections").select_related("lesion"))
    facts = [
        InjectionFacts(
            lesion_id=given.lesion.lesion_id,
            agent=given.agent,
            concentration_mg_ml=given.concentration_mg_ml,
            volume_ml=given.volume_ml,
            salt_form=given.salt_form,
            lot_number=given.lot_number,
        )
        for given in injections
    ]
    totals = session_totals(facts)
    vials = [
        Vial(vial_no=vial.vial_no, lot_number=vial.lot_number, drawn_ml=vial.drawn_ml)
        for vial in (_rows(row, "vials") if shows else ())
    ]
    stats = [
        {"label": "Lesions injected", "value": str(len(injections))},
        {"label": "Volume", "value": show_decimal(totals.volume_ml), "unit": "ml"},
    ]
    if shows:
        stats += [
            {"label": "Sodium thiosulfate", "value": show_decimal(totals.dose_mg), "unit": "mg"},
            {"label": "On the area", "value": _density(assessments, facts), "unit": "mg/cm²"},
            {"label": "1 ml syringes", "value": str(totals.syringes)},
        ]
    return render(
        request,
        "sessions_app/session.html",
        {
            "session": row,
            "series": row.series,
            "patient": row.series.patient,
            **banner_of(request.user, row.series.patient),
            "shows_allocation": shows,
            "seen_rows": assessments,
            "ptga_by_patient": by_patient("ptga", row.ptga),
            "given_rows": [
                {
                    "given": given,
                    "pain_by_patient": given.pain_vas is not None
                    and by_patient(lesion_field(given.lesion_id, "pain_vas"), show_decimal(given.pain_vas)),
                    "dose_mg": dose_mg(given.concentration_mg_ml, given.volume_ml)
                    if given.concentration_mg_ml is not None
                    else None,
                }
                for given in injections
            ],
            "vials": vial_uses(vials, facts),
            "without_vial": lots_in_words(injected_without_vial(vials, facts)) if vials else "",
            "infusion": _rows(row, "infusions").first(),
            "stats": stats if injections else [],
            "acknowledgements": _acknowledgements(row, shows),
            "told": () if row.struck_out_at else told_at(row, shows_allocation=shows),
            "side_effects": row.side_effects.select_related("lesion"),
            "asked": asked_after(row),
            "photographed": _photographed(request.user, row, assessments, injections),
            "photographs": row.photographs.select_related("lesion")
            if may(request.user, "see_photographs", clinic)
            else [],
        },
    )


def _photographed(user, session: TreatmentSession, *rows) -> list[Lesion]:
    """The lesions of the session of which this user may add a photograph, each once."""
    if session.struck_out_at or not may(user, "record_session", session.series.patient.clinic_id):
        return []
    return list({row.lesion_id: row.lesion for listed in rows for row in listed}.values())


def _density(assessments, injections: list[InjectionFacts]) -> str:
    areas = {
        row.lesion.lesion_id: area_cm2(row.longest_mm, row.widest_mm)
        for row in assessments
        if row.longest_mm is not None and row.widest_mm is not None
    }
    density = mg_per_cm2((row, areas.get(row.lesion_id)) for row in injections)
    return "–" if density is None else show_decimal(density)


def _rows(session: TreatmentSession, name: str):
    """The rows of a session; of a struck-out one, those that were struck out with it."""
    model = TreatmentSession._meta.get_field(name).related_model
    rows = model.everything.filter(session=session)
    return rows.filter(struck_out_at=session.struck_out_at)


def _acknowledgements(session: TreatmentSession, shows_allocation: bool):
    rows = session.acknowledgements.select_related("lesion")
    words = {entry.code: entry.meaning for entry in ALERTS}
    return [
        {"row": row, "meaning": words.get(row.code, row.code)}
        for row in rows
        if shows_allocation or row.code not in MAY_BETRAY_ALLOCATION
    ]
