"""The clinic's day: today, enrolment, patient, series, session, side effects, report, data sheets, protocols."""

from django.urls import path

from sessions_app.views import side_effects, today
from sessions_app.views import sheet
from sessions_app.views import allocation, protocols
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
    path("series/<int:pk>/sessions/<slug:kind>/open/", sheet.session_open, name="session_open"),
    path("drafts/<int:pk>/", sheet.draft, name="draft"),
    path("drafts/<int:pk>/save/", sheet.draft_save, name="draft_save"),
    path("drafts/<int:pk>/discard/", sheet.draft_discard, name="draft_discard"),
    path("sessions/<int:pk>/", sheet.session, name="session"),
    path("sessions/<int:pk>/correct/", sheet.session_correct, name="session_correct"),
    # side effects and photographs
    path("patients/<int:pk>/side-effects/new/", side_effects.side_effect_new, name="side_effect_new"),
    path("side-effects/<int:pk>/edit/", side_effects.side_effect_edit, name="side_effect_edit"),
    path("lesions/<int:pk>/photographs/new/", coming, name="photograph_new"),
    path("photographs/<uuid:token>/", coming, name="photograph"),
    path("photographs/<uuid:token>/thumbnail/", coming, name="photograph_thumbnail"),
    # report, data sheets, allocation
    path("report/", coming, name="report"),
    path("report/download/<slug:file_format>/", coming, name="report_download"),
    path("exchange/", coming, name="exchange"),
    path("exchange/import/", coming, name="import_sheets"),
    path("exchange/export/", coming, name="export_sheets"),
    path("allocation/", allocation.allocation, name="allocation"),
    path("allocation/open/", allocation.allocation_open, name="allocation_open"),
    path("reading-room/", allocation.reading_room, name="reading_room"),
    # protocols
    path("protocols/", protocols.protocols, name="protocols"),
    path("protocols/<int:pk>/", protocols.protocol, name="protocol"),
    path("protocols/<int:pk>/new-version/", protocols.protocol_new_version, name="protocol_new_version"),
]
