"""Opening a series, and completing, stopping, reopening or approving one."""

from django.contrib import messages
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from lesions.selectors import get_patient
from lesions.views.pages import posted, save_or_show
from sessions_app.enrolment import OPEN_SERIES, protocols_for
from sessions_app.forms.series import NewSeriesForm, SeriesForm
from sessions_app.models import Series
from sessions_app.series import change_series, get_series, not_recorded_for, open_ones, open_series
from stsclinic.access import require
from stsclinic.clinical.dates import show_date
from stsclinic.clinics.clock import today_in


@require("enrol")
@require_http_methods(["GET", "POST"])
def series_new(request, pk):
    """Plan or begin a series of a patient who has consented."""
    patient = get_patient(request.user, "enrol", pk)
    others = list(open_ones(patient))
    form = NewSeriesForm(
        posted(request),
        patient=patient,
        protocols=protocols_for(patient.clinic),
        open_ones=others,
        today=today_in(patient.clinic),
    )

    def save(form: NewSeriesForm) -> Series:
        typed = form.cleaned_data
        return open_series(
            patient=patient,
            protocol=typed["protocol"],
            lesions=typed["lesions"],
            started_on=typed["started_on"],
            status=typed["status"],
            approved_on=typed["high_concentration_approved_on"],
            approval_reason=typed["high_concentration_reason"],
            by=request.user.username,
        )

    def after(series: Series) -> tuple[str, str]:
        for sentence in not_recorded_for(series):
            messages.warning(request, f"To be asked. {sentence}")
        return f"Series {series.series_no} is {series.get_status_display().lower()}.", reverse(
            "patient", args=[patient.pk]
        )

    return save_or_show(
        request,
        form,
        patient,
        save=save,
        after=after,
        title="New series",
        template="sessions_app/series_form.html",
        others=[
            {
                "series": other,
                "words": f"Series {other.series_no}, {other.protocol.name}, {other.get_status_display().lower()}"
                f" since {show_date(other.started_on)}.",
            }
            for other in others
        ],
        is_refused=bool(patient.withdrawn_on) or not patient.consented_on,
    )


@require("change_records")
@require_http_methods(["GET", "POST"])
def series_edit(request, pk):
    """Complete, stop, reopen or approve a series, or change the lesions that it treats."""
    series = get_series(request.user, "change_records", pk)
    patient = series.patient

    def after(saved: Series) -> tuple[str, str]:
        if saved.status not in OPEN_SERIES and saved.drafts.filter(
            state="open", kind="treatment", corrects=None
        ):
            messages.warning(
                request,
                "A treatment's sheet of this series is still open. It cannot be completed any more:"
                " close it, or open the series again.",
            )
        return f"Series {saved.series_no} is saved.", reverse("patient", args=[patient.pk])

    form = SeriesForm(posted(request), record=series, today=today_in(patient.clinic))
    return save_or_show(
        request,
        form,
        patient,
        save=lambda form: change_series(
            series=series,
            values=form.values(),
            lesions=form.cleaned_data.get("lesions"),
            seen_version=form.cleaned_data["version"],
            by=request.user.username,
            reason=form.cleaned_data["reason"],
        ),
        after=after,
        title=f"Series {series.series_no}",
        lead=f"{series.protocol.name} ({series.protocol.code}, version {series.protocol.version})",
        template="sessions_app/series_form.html",
        series=series,
        history=("series", series.pk),
        can_be_struck_out=True,
    )
