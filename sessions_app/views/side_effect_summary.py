"""Looking at side effects: of a patient beside sessions and medications, and of clinics in numbers."""

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from lesions.banner import banner_of
from lesions.selectors import clinics_for, get_patient
from sessions_app import swim_lanes as lanes
from sessions_app.selectors import side_effects_for
from sessions_app.seriousness import standing_of, unsettled
from sessions_app.side_effect_pages import asked_lately
from sessions_app.side_effect_summary import side_effect_summary as summarise
from stsclinic.access import may, require
from stsclinic.audit.services import note_event
from stsclinic.clinics.clock import today_in

SHOWN_UNSETTLED = 20
"""Side effects that wait for the sponsor or for a word, on one page."""

SPAN_WORDS = {"all": "Whole course", "year": "Last year", "quarter": "Last 4 months"}


@require("see_patients")
@require_safe
def side_effect_summary(request: HttpRequest) -> HttpResponse:
    """The side effects of the reader's clinics, or of one of them (`clinic`, a code).

    What waits for the sponsor or for a word stands first, 20 on a `page`.
    """
    clinics = list(clinics_for(request.user, "see_patients"))
    chosen = request.GET.get("clinic", "")
    shown = [clinic for clinic in clinics if chosen in ("", clinic.code)]
    if not shown:
        raise Http404
    waiting = unsettled(side_effects_for(request.user, "see_patients").filter(patient__clinic__in=shown))
    page = Paginator(waiting, SHOWN_UNSETTLED).get_page(request.GET.get("page"))
    return render(
        request,
        "sessions_app/side_effect_summary.html",
        {
            "summary": summarise(request.user, [clinic.pk for clinic in shown]),
            "clinics": clinics,
            "chosen": chosen,
            "page": page,
            "standings": [standing_of(row, timezone.now()) for row in page],
            "previous_url": _page_url(chosen, page.previous_page_number()) if page.has_previous() else "",
            "next_url": _page_url(chosen, page.next_page_number()) if page.has_next() else "",
            "zone": shown[0].zone,
            "may_recall": may(request.user, "recall_lots"),
            "may_see_alerts": may(request.user, "see_alert_history"),
            "printed_at": timezone.now(),
        },
    )


def _page_url(clinic: str, number: int) -> str:
    query = QueryDict(mutable=True)
    query.update({"clinic": clinic, "page": str(number)} if clinic else {"page": str(number)})
    return f"?{query.urlencode()}"


@require("see_patients")
@require_safe
def swim_lanes(request: HttpRequest, pk: int) -> HttpResponse:
    """One patient's side effects beside sessions, doses and medications. Each look is logged."""
    patient = get_patient(request.user, "see_patients", pk)
    span = request.GET.get("span", "all")
    if span not in lanes.SPANS:
        raise Http404
    found = lanes.swim_lanes(request.user, patient, today_in(patient.clinic), span)
    note_event("patient_viewed", by=request.user.username, patient_pk=patient.pk)
    return render(
        request,
        "sessions_app/swim_lanes.html",
        {
            **banner_of(request.user, patient),
            "patient": patient,
            "found": found,
            "asked": asked_lately(patient),
            "printed_at": timezone.now(),
            "span": span,
            "spans": SPAN_WORDS,
            "may_record": may(request.user, "record_session", patient.clinic_id),
        },
    )
