"""The clinic's day: today, enrolment, patient, series, session, side effects, report, data sheets, protocols."""

from django.urls import path

from sessions_app.views import (
    alerts,
    allocation,
    calls,
    enrolment,
    exchange,
    history,
    lots,
    patient,
    patient_list,
    patient_scores,
    photographs,
    protocols,
    report,
    series,
    sheet,
    sheet_saving,
    side_effect_report,
    side_effect_summary,
    side_effects,
    today,
)

urlpatterns = [
    path("today/", today.today, name="today"),
    # calls, and looking back at side effects and alerts
    path("calls/", calls.calls, name="calls"),
    path("calls/calendar.ics", calls.calls_calendar, name="calls_calendar"),
    path("calls/<int:pk>/note/", calls.call_note, name="call_note"),
    path("calls/<int:pk>/take-back/", calls.call_take_back, name="call_take_back"),
    path("side-effects/", side_effect_summary.side_effect_summary, name="side_effect_summary"),
    path("patients/<int:pk>/side-effects/", side_effect_summary.swim_lanes, name="swim_lanes"),
    path("alerts/", alerts.alerts, name="alerts"),
    path("lots/", lots.lots, name="lots"),
    path("lots/<int:pk>/", lots.lot, name="lot"),
    path("lots/<int:pk>/strike-out/", lots.lot_strike_out, name="lot_strike_out"),
    # enrolment and patient
    path("patients/", patient_list.patients, name="patients"),
    path("patients/enrol/", enrolment.enrol, name="enrol"),
    path("patients/<int:pk>/", patient.patient, name="patient"),
    path("patients/<int:pk>/decide/", enrolment.enrol_decide, name="enrol_decide"),
    path("patients/<int:pk>/withdraw/", enrolment.patient_withdraw, name="patient_withdraw"),
    path("patients/<int:pk>/history/", history.patient_history, name="patient_history"),
    path("history/<slug:kind>/<int:pk>/", history.record_history, name="record_history"),
    path("strike-out/<slug:kind>/<int:pk>/", history.strike_out, name="strike_out"),
    # series
    path("patients/<int:pk>/series/new/", series.series_new, name="series_new"),
    path("series/<int:pk>/edit/", series.series_edit, name="series_edit"),
    # session sheet
    path("series/<int:pk>/sessions/<slug:kind>/open/", sheet.session_open, name="session_open"),
    path("drafts/<int:pk>/", sheet.draft, name="draft"),
    path("drafts/<int:pk>/save/", sheet_saving.draft_save, name="draft_save"),
    path("drafts/<int:pk>/watch/", sheet_saving.draft_watch, name="draft_watch"),
    path("drafts/<int:pk>/discard/", sheet.draft_discard, name="draft_discard"),
    path("drafts/<int:pk>/score/", patient_scores.score_invite, name="score_invite"),
    path("drafts/<int:pk>/score/state/", patient_scores.score_state, name="score_state"),
    path("score/", patient_scores.score, name="score"),
    path("sessions/<int:pk>/", sheet.session, name="session"),
    path("sessions/<int:pk>/correct/", sheet.session_correct, name="session_correct"),
    # side effects and photographs
    path("patients/<int:pk>/side-effects/new/", side_effects.side_effect_new, name="side_effect_new"),
    path("patients/<int:pk>/side-effects/asked/", side_effects.side_effects_asked, name="side_effects_asked"),
    path("side-effects/<int:pk>/", side_effects.side_effect, name="side_effect"),
    path("side-effects/<int:pk>/observe/", side_effects.side_effect_observe, name="side_effect_observe"),
    path("side-effects/<int:pk>/sponsor/", side_effects.side_effect_sponsor, name="side_effect_sponsor"),
    path("side-effects/<int:pk>/report/", side_effect_report.side_effect_report, name="side_effect_report"),
    path("side-effects/<int:pk>/edit/", side_effects.side_effect_edit, name="side_effect_edit"),
    path("lesions/<int:pk>/photographs/new/", photographs.photograph_new, name="photograph_new"),
    path("photographs/<uuid:token>/", photographs.photograph, name="photograph"),
    path(
        "photographs/<uuid:token>/thumbnail/", photographs.photograph_thumbnail, name="photograph_thumbnail"
    ),
    # report, data sheets, allocation
    path("report/", report.report, name="report"),
    path("report/rows/<slug:table>/<int:row>/<slug:column>/", report.report_rows, name="report_rows"),
    path("report/download/<slug:file_format>/", report.report_download, name="report_download"),
    path("exchange/", exchange.exchange, name="exchange"),
    path("exchange/import/", exchange.import_sheets, name="import_sheets"),
    path("exchange/export/", exchange.export_sheets, name="export_sheets"),
    path("exchange/template/", exchange.sheets_template, name="sheets_template"),
    path("allocation/", allocation.allocation, name="allocation"),
    path("allocation/open/", allocation.allocation_open, name="allocation_open"),
    path("reading-room/", allocation.reading_room, name="reading_room"),
    # protocols
    path("protocols/", protocols.protocols, name="protocols"),
    path("protocols/<int:pk>/", protocols.protocol, name="protocol"),
    path("protocols/<int:pk>/new-version/", protocols.protocol_new_version, name="protocol_new_version"),
]
