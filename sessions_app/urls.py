"""The clinic's day: today, enrolment, patient, series, session, side effects, report, data sheets, protocols."""

from django.urls import path

from sessions_app.views import today
from stsclinic.placeholder import coming

urlpatterns = [
    path("today/", today.today, name="today"),
    # enrolment and patient
    path("patients/enrol/", coming, name="enrol"),
    path("patients/<int:pk>/", coming, name="patient"),
    path("patients/<int:pk>/decide/", coming, name="enrol_decide"),
    path("patients/<int:pk>/withdraw/", coming, name="patient_withdraw"),
    path("patients/<int:pk>/history/", coming, name="patient_history"),
    path("history/<slug:kind>/<int:pk>/", coming, name="record_history"),
    path("strike-out/<slug:kind>/<int:pk>/", coming, name="strike_out"),
    # series
    path("patients/<int:pk>/series/new/", coming, name="series_new"),
    path("series/<int:pk>/edit/", coming, name="series_edit"),
    # session sheet
    path("series/<int:pk>/sessions/<slug:kind>/open/", coming, name="session_open"),
    path("drafts/<int:pk>/", coming, name="draft"),
    path("drafts/<int:pk>/save/", coming, name="draft_save"),
    path("drafts/<int:pk>/discard/", coming, name="draft_discard"),
    path("sessions/<int:pk>/", coming, name="session"),
    path("sessions/<int:pk>/correct/", coming, name="session_correct"),
    # side effects and photographs
    path("patients/<int:pk>/side-effects/new/", coming, name="side_effect_new"),
    path("side-effects/<int:pk>/edit/", coming, name="side_effect_edit"),
    path("lesions/<int:pk>/photographs/new/", coming, name="photograph_new"),
    path("photographs/<uuid:token>/", coming, name="photograph"),
    path("photographs/<uuid:token>/thumbnail/", coming, name="photograph_thumbnail"),
    # report, data sheets, allocation
    path("report/", coming, name="report"),
    path("report/download/<slug:file_format>/", coming, name="report_download"),
    path("exchange/", coming, name="exchange"),
    path("exchange/import/", coming, name="import_sheets"),
    path("exchange/export/", coming, name="export_sheets"),
    path("allocation/", coming, name="allocation"),
    path("allocation/open/", coming, name="allocation_open"),
    path("reading-room/", coming, name="reading_room"),
    # protocols
    path("protocols/", coming, name="protocols"),
    path("protocols/<int:pk>/", coming, name="protocol"),
    path("protocols/<int:pk>/new-version/", coming, name="protocol_new_version"),
]
