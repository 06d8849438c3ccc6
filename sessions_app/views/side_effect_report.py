"""The printable report of one side effect, with the content of the CIOMS I form. Pseudonymous."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from lesions.banner import banner_of
from sessions_app.selectors import side_effects_for
from sessions_app.side_effect_report import report_of
from stsclinic.access import require


@require("see_patients")
@require_safe
def side_effect_report(request: HttpRequest, pk: int) -> HttpResponse:
    """One side effect for the sponsor or the authority: what happened, the suspect drug, what else was taken."""
    effect = get_object_or_404(
        side_effects_for(request.user, "see_patients").select_related(
            "patient__clinic", "session__series", "series__protocol", "lesion"
        ),
        pk=pk,
    )
    context = banner_of(request.user, effect.patient) | {
        "identity": None,
        "patient": effect.patient,
        "effect": effect,
        "report": report_of(request.user, effect, timezone.now()),
    }
    return render(request, "sessions_app/side_effect_report.html", context)
