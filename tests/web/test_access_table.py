"""Every URL × every role × own clinic, other clinic, signed out: the answers, written out here.

A row holds, for clinician, nurse, investigator, observer, data manager, administrator and the signed-out,
what GET and POST (with an empty form) answer: of a row of the reader's own clinic, and of another's.
"""

from dataclasses import dataclass

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from stsclinic.audit.models import Change
from tests.web.access_world import READERS, SIGNED_OUT, Side, make_side
from tests.web.test_access import patterns

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Row:
    """The expected answers of one address, in the order of READERS; `arguments` are the names of rows."""

    name: str
    own_get: str
    own_post: str
    other_get: str = ""
    other_post: str = ""
    arguments: str = ""


UPLOAD = "token:3f9a2c44-6a0e-4b0e-9a39-0c3f6f1f2a11"
"""An upload that nobody sent: its sender's page leads back to where one is chosen."""

# fmt: off
TABLE = (
    #                              clin nurs inve obse data admi out
    Row("home",                   "302 302 302 302 302 302 302",
        own_post=                 "405 405 405 405 405 405 405"),
    Row("login",                  "302 302 302 302 302 302 200",
        own_post=                 "302 302 302 302 302 302 200"),
    Row("logout",                 "405 405 405 405 405 405 405",
        own_post=                 "200 200 200 200 200 200 200"),
    Row("keep_alive",             "405 405 405 405 405 405 302",
        own_post=                 "204 204 204 204 204 204 302"),
    Row("signed_in",              "200 200 200 200 200 200 200",
        own_post=                 "405 405 405 405 405 405 405"),
    Row("password",               "200 200 200 200 200 200 302",
        own_post=                 "200 200 200 200 200 200 302"),
    Row("rights",                 "200 200 200 200 200 200 302",
        own_post=                 "405 405 405 405 405 405 302"),
    # administration
    Row("users",                  "404 404 404 404 404 200 302",
        own_post=                 "404 404 404 404 404 405 302"),
    Row("user_new",               "404 404 404 404 404 200 302",
        own_post=                 "404 404 404 404 404 200 302"),
    Row("user",                   "404 404 404 404 404 200 302",
        own_post=                 "404 404 404 404 404 200 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=colleague"),
    Row("user_password",          "404 404 404 404 404 405 302",
        own_post=                 "404 404 404 404 404 200 302",
        other_get=                "404 404 404 404 404 405 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=colleague"),
    Row("clinics",                "404 404 404 404 404 200 302",
        own_post=                 "404 404 404 404 404 405 302"),
    Row("clinic_new",             "404 404 404 404 404 200 302",
        own_post=                 "404 404 404 404 404 200 302"),
    Row("clinic",                 "404 404 404 404 404 200 302",
        own_post=                 "404 404 404 404 404 200 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=clinic"),
    # protocols
    Row("protocols",              "200 200 200 404 200 200 302",
        own_post=                 "405 405 405 404 405 405 302"),
    Row("protocol",               "200 200 200 404 200 200 302",
        own_post=                 "405 405 405 404 405 405 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "405 405 405 404 405 405 302", arguments="pk=protocol"),
    Row("protocol_new_version",   "404 404 404 404 404 200 302",
        own_post=                 "404 404 404 404 404 200 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=protocol"),
    # allocation and reading room
    Row("allocation",             "404 404 404 404 200 404 302",
        own_post=                 "404 404 404 404 405 404 302"),
    Row("allocation_open",        "404 404 404 404 200 404 302",
        own_post=                 "404 404 404 404 200 404 302"),
    Row("reading_room",           "404 404 404 200 404 404 302",
        own_post=                 "404 404 404 405 404 404 302"),
    # the day
    Row("today",                  "200 200 404 404 404 404 302",
        own_post=                 "405 405 404 404 404 404 302"),
    # calls, side effects over time and in numbers, alerts, recalled lots, days closed
    Row("calls",                  "200 200 404 404 404 404 302",
        own_post=                 "405 405 404 404 404 404 302"),
    Row("calls_calendar",         "200 200 404 404 404 404 302",
        own_post=                 "405 405 404 404 404 404 302"),
    Row("call_note",              "405 405 404 404 404 404 302",
        own_post=                 "200 200 404 404 404 404 302",
        other_get=                "405 405 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=patient"),
    Row("call_take_back",         "405 405 404 404 404 404 302",
        own_post=                 "302 302 404 404 404 404 302",
        other_get=                "405 405 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=call_attempt"),
    Row("side_effect_summary",    "200 200 200 404 200 404 302",
        own_post=                 "405 405 405 404 405 404 302"),
    Row("body_map",               "200 200 200 404 200 404 302",
        own_post=                 "405 405 405 404 405 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "405 405 405 404 405 404 302", arguments="pk=patient"),
    Row("swim_lanes",             "200 200 200 404 200 404 302",
        own_post=                 "405 405 405 404 405 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "405 405 405 404 405 404 302", arguments="pk=patient"),
    Row("alerts",                 "200 200 200 404 200 200 302",
        own_post=                 "405 405 405 404 405 405 302"),
    Row("lots",                   "200 200 404 404 200 404 302",
        own_post=                 "200 200 404 404 200 404 302"),
    Row("lot",                    "200 200 404 404 200 404 302",
        own_post=                 "405 405 404 404 405 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "405 405 404 404 405 404 302", arguments="pk=recalled_lot"),
    Row("lot_strike_out",         "200 200 404 404 200 404 302",
        own_post=                 "200 200 404 404 200 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=recalled_lot"),
    Row("holidays",               "200 200 404 404 404 200 302",
        own_post=                 "200 200 404 404 404 200 302"),
    Row("holiday_remove",         "405 405 404 404 404 405 302",
        own_post=                 "302 302 404 404 404 302 302",
        other_get=                "405 405 404 404 404 405 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=holiday"),
    # patients
    Row("patients",               "200 200 200 404 200 404 302",
        own_post=                 "200 200 200 404 200 404 302"),
    Row("patients_struck_out",    "200 404 404 404 200 404 302",
        own_post=                 "405 404 404 404 405 404 302"),
    Row("enrol",                  "200 200 404 404 404 404 302",
        own_post=                 "200 200 404 404 404 404 302"),
    Row("patient",                "200 200 200 404 200 404 302",
        own_post=                 "405 405 405 404 405 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "405 405 405 404 405 404 302", arguments="pk=patient"),
    Row("enrol_decide",           "200 200 404 404 404 404 302",
        own_post=                 "200 200 404 404 404 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=patient"),
    Row("patient_withdraw",       "200 200 404 404 404 404 302",
        own_post=                 "200 200 404 404 404 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=patient"),
    Row("patient_edit",           "200 200 404 404 200 404 302",
        own_post=                 "200 200 404 404 200 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=patient"),
    Row("patient_identity",       "200 200 404 404 404 404 302",
        own_post=                 "200 200 404 404 404 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=patient"),
    Row("lesion_new",             "200 200 404 404 404 404 302",
        own_post=                 "200 200 404 404 404 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=patient"),
    Row("lesion_edit",            "200 200 404 404 200 404 302",
        own_post=                 "200 200 404 404 200 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=lesion"),
    Row("lesion_put_back",        "405 405 404 404 405 404 302",
        own_post=                 "302 302 404 404 302 404 302",
        other_get=                "405 405 404 404 405 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=lesion"),
    Row("medication_new",         "200 200 404 404 404 404 302",
        own_post=                 "200 200 404 404 404 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=patient"),
    Row("medication_edit",        "200 200 404 404 200 404 302",
        own_post=                 "200 200 404 404 200 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=medication"),
    Row("prior_treatment_new",    "200 200 404 404 404 404 302",
        own_post=                 "200 200 404 404 404 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=patient"),
    Row("prior_treatment_edit",   "200 200 404 404 200 404 302",
        own_post=                 "200 200 404 404 200 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=prior_treatment"),
    # history and corrections
    Row("patient_history",        "200 200 200 404 200 404 302",
        own_post=                 "405 405 405 404 405 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "405 405 405 404 405 404 302", arguments="pk=patient"),
    Row("record_history",         "200 200 200 404 200 404 302",
        own_post=                 "405 405 405 404 405 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "405 405 405 404 405 404 302", arguments="kind:lesion pk=lesion"),
    # An identity's changes stand in the history of its patient, for those who may see identities.
    Row("record_history",         "404 404 404 404 404 404 302",
        own_post=                 "405 405 405 404 405 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "405 405 405 404 405 404 302", arguments="kind:identity pk=patient.identity"),
    Row("strike_out",             "200 404 404 404 200 404 302",
        own_post=                 "200 404 404 404 200 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="kind:side_effect pk=side_effect"),
    # series and sessions
    Row("series_new",             "200 200 404 404 404 404 302",
        own_post=                 "200 200 404 404 404 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=patient"),
    Row("series_edit",            "200 200 404 404 200 404 302",
        own_post=                 "200 200 404 404 200 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=series"),
    Row("lesion_order",           "200 200 404 404 200 404 302",
        own_post=                 "200 200 404 404 200 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=series"),
    Row("session_open",           "405 405 404 404 404 404 302",
        own_post=                 "302 302 404 404 404 404 302",
        other_get=                "405 405 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=series kind:treatment"),
    Row("draft",                  "200 200 404 404 404 404 302",
        own_post=                 "302 302 404 404 404 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=draft"),
    Row("draft",                  "200 404 404 404 200 404 302",
        own_post=                 "302 404 404 404 302 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=correction"),
    Row("draft_save",             "405 405 405 404 405 404 302",
        own_post=                 "200 200 404 404 404 404 302",
        other_get=                "405 405 405 404 405 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=draft"),
    Row("draft_watch",            "405 405 405 404 405 404 302",
        own_post=                 "204 204 404 404 404 404 302",
        other_get=                "405 405 405 404 405 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=draft"),
    Row("draft_alerts",           "405 405 405 404 405 404 302",
        own_post=                 "200 200 404 404 404 404 302",
        other_get=                "405 405 405 404 405 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=draft"),
    Row("draft_discard",          "405 405 405 404 405 404 302",
        own_post=                 "302 302 404 404 404 404 302",
        other_get=                "405 405 405 404 405 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=draft"),
    Row("draft_reopen",           "405 405 405 404 405 404 302",
        own_post=                 "302 302 404 404 404 404 302",
        other_get=                "405 405 405 404 405 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=draft"),
    Row("score_invite",           "200 200 404 404 404 404 302",
        own_post=                 "200 200 404 404 404 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=draft"),
    Row("score_state",            "200 200 404 404 404 404 302",
        own_post=                 "405 405 404 404 404 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "405 405 404 404 404 404 302", arguments="pk=draft"),
    Row("score",                  "200 200 200 200 200 200 200",
        own_post=                 "404 404 404 404 404 404 404"),
    Row("session",                "200 200 200 404 200 404 302",
        own_post=                 "405 405 405 404 405 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "405 405 405 404 405 404 302", arguments="pk=session"),
    Row("session_correct",        "405 404 404 404 405 404 302",
        own_post=                 "302 404 404 404 302 404 302",
        other_get=                "405 404 404 404 405 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=session"),
    # side effects and photographs
    Row("side_effect_new",        "200 200 404 404 404 404 302",
        own_post=                 "200 200 404 404 404 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=patient"),
    Row("side_effects_asked",     "405 405 404 404 404 404 302",
        own_post=                 "302 302 404 404 404 404 302",
        other_get=                "405 405 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=patient"),
    Row("side_effect",            "200 200 200 404 200 404 302",
        own_post=                 "405 405 405 404 405 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "405 405 405 404 405 404 302", arguments="pk=side_effect"),
    Row("side_effect_report",     "200 200 200 404 200 404 302",
        own_post=                 "405 405 405 404 405 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "405 405 405 404 405 404 302", arguments="pk=side_effect"),
    Row("side_effect_observe",    "405 405 404 404 404 404 302",
        own_post=                 "200 200 404 404 404 404 302",
        other_get=                "405 405 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=side_effect"),
    Row("side_effect_sponsor",    "405 405 404 404 404 404 302",
        own_post=                 "200 200 404 404 404 404 302",
        other_get=                "405 405 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=side_effect"),
    Row("side_effect_edit",       "200 200 404 404 404 404 302",
        own_post=                 "200 200 404 404 404 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=side_effect"),
    Row("photograph_new",         "200 200 404 404 404 404 302",
        own_post=                 "200 200 404 404 404 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=lesion"),
    Row("photograph",             "200 200 404 404 404 404 302",
        own_post=                 "405 405 404 404 404 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "405 405 404 404 404 404 302", arguments="token=photograph.token"),
    Row("lesion_photographs",     "200 200 404 404 404 404 302",
        own_post=                 "405 405 404 404 404 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "405 405 404 404 404 404 302", arguments="pk=lesion"),
    Row("photograph_ruler",       "200 200 404 404 404 404 302",
        own_post=                 "200 200 404 404 404 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="token=photograph.token"),
    Row("photograph_thumbnail",   "200 200 404 404 404 404 302",
        own_post=                 "405 405 404 404 404 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "405 405 404 404 404 404 302", arguments="token=photograph.token"),
    # report and data sheets
    Row("report",                 "200 404 200 404 200 404 302",
        own_post=                 "405 404 405 404 405 404 302"),
    Row("report_rows",            "200 404 200 404 200 404 302",
        own_post=                 "405 404 405 404 405 404 302",
        arguments="table:cohort row:0 column:value"),
    Row("report_rows",            "404 404 404 404 404 404 302",
        own_post=                 "405 404 405 404 405 404 302",
        arguments="table:cohort row:0 column:figure"),
    Row("report_figure",          "200 404 200 404 200 404 302",
        own_post=                 "405 404 405 404 405 404 302",
        arguments="figure:flow file_format:svg"),
    Row("report_figure",          "404 404 404 404 404 404 302",
        own_post=                 "405 404 405 404 405 404 302",
        arguments="figure:flow file_format:gif"),
    Row("report_download",        "200 404 200 404 200 404 302",
        own_post=                 "405 404 405 404 405 404 302", arguments="file_format:csv"),
    Row("report_download",        "200 404 200 404 200 404 302",
        own_post=                 "405 404 405 404 405 404 302", arguments="file_format:xlsx"),
    Row("report_download",        "200 404 200 404 200 404 302",
        own_post=                 "405 404 405 404 405 404 302", arguments="file_format:json"),
    Row("report_download",        "200 404 200 404 200 404 302",
        own_post=                 "405 404 405 404 405 404 302", arguments="file_format:pdf"),
    Row("report_download",        "200 404 200 404 200 404 302",
        own_post=                 "405 404 405 404 405 404 302", arguments="file_format:tables"),
    Row("report_download",        "404 404 404 404 404 404 302",
        own_post=                 "405 404 405 404 405 404 302", arguments="file_format:docx"),
    Row("exchange",               "404 404 404 404 200 404 302",
        own_post=                 "404 404 404 404 405 404 302"),
    Row("import_sheets",          "404 404 404 404 200 404 302",
        own_post=                 "404 404 404 404 200 404 302"),
    Row("import_preview",         "404 404 404 404 302 404 302",
        own_post=                 "404 404 404 404 405 404 302", arguments=UPLOAD),
    Row("import_confirm",         "404 404 404 404 405 404 302",
        own_post=                 "404 404 404 404 302 404 302", arguments=UPLOAD),
    Row("import_discard",         "404 404 404 404 405 404 302",
        own_post=                 "404 404 404 404 302 404 302", arguments=UPLOAD),
    Row("import_marked",          "404 404 404 404 302 404 302",
        own_post=                 "404 404 404 404 405 404 302", arguments=UPLOAD),
    Row("import_problems",        "404 404 404 404 302 404 302",
        own_post=                 "404 404 404 404 405 404 302", arguments=UPLOAD),
    Row("import_row",             "404 404 404 404 302 404 302",
        own_post=                 "404 404 404 404 405 404 302", arguments=f"{UPLOAD} sheet:patients row:2"),
    Row("sheets_template",        "404 404 404 404 200 404 302",
        own_post=                 "404 404 404 404 405 404 302"),
    Row("exports",                "404 404 200 404 200 404 302",
        own_post=                 "404 404 405 404 405 404 302"),
    Row("export_new",             "404 404 405 404 405 404 302",
        own_post=                 "404 404 200 404 200 404 302"),
    Row("export",                 "404 404 404 404 200 404 302",
        own_post=                 "405 404 405 404 405 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "405 404 405 404 405 404 302", arguments="pk=export_job"),
    Row("export_cancel",          "405 404 405 404 405 404 302",
        own_post=                 "404 404 404 404 302 404 302",
        other_get=                "405 404 405 404 405 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=export_job"),
    Row("export_again",           "405 404 405 404 405 404 302",
        own_post=                 "404 404 404 404 302 404 302",
        other_get=                "405 404 405 404 405 404 302",
        other_post=               "404 404 404 404 404 404 302", arguments="pk=export_job"),
    Row("export_file",            "404 404 404 404 200 404 302",
        own_post=                 "405 404 405 404 405 404 302",
        other_get=                "404 404 404 404 404 404 302",
        other_post=               "405 404 405 404 405 404 302", arguments="pk=export_job name:manifest.txt"),
)
# fmt: on


def address(row: Row, side: Side) -> str:
    """The address of one of this clinic's rows: `pk=lesion` is the key of a row, `kind:lesion` a word."""
    arguments = {}
    for part in row.arguments.split():
        if ":" in part:
            name, _, arguments[name] = part.partition(":")
            continue
        name, _, where = part.partition("=")
        found = side
        for step in where.split("."):
            found = getattr(found, step)
        arguments[name] = getattr(found, "pk", found)
    return reverse(row.name, kwargs=arguments)


def answers(row: Row, method: str, at: Side, users: Side) -> str:
    """What every reader is answered, each on untouched data."""
    found = []
    for reader in READERS:
        client = Client(raise_request_exception=False)
        if reader != SIGNED_OUT:
            client.force_login(users.users[reader])
        before = Change.objects.count()
        with transaction.atomic():
            answer = getattr(client, method)(address(row, at))
            if answer.status_code >= 400 or method == "get":
                assert Change.objects.count() == before, f"{reader} changed something"
            transaction.set_rollback(True)
        found.append(str(answer.status_code))
        assert_leads_to_the_sign_in(reader, row, answer)
    return " ".join(found)


def assert_leads_to_the_sign_in(reader: str, row: Row, answer) -> None:
    """The signed-out learn nothing but where to sign in."""
    if reader == SIGNED_OUT and answer.status_code == 302:
        assert answer.headers["Location"].startswith("/sign-in/"), row.name


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.name} {row.arguments}".strip())
def test_every_reader_gets_the_answer_that_is_written_here(row):
    own, other = make_side("own", users=True), make_side("other", users=False)
    found = {"own_get": answers(row, "get", own, own), "own_post": answers(row, "post", own, own)}
    if row.other_get:
        found["other_get"] = answers(row, "get", other, own)
        found["other_post"] = answers(row, "post", other, own)
    assert found == {name: getattr(row, name) for name in found}


def test_no_url_is_missing_from_the_table():
    assert {row.name for row in TABLE} == {pattern.name for pattern in patterns()}


def test_every_url_of_a_row_is_asked_of_another_clinic_too():
    by_key = {pattern.name for pattern in patterns() if {"pk", "token"} & set(pattern.pattern.converters)}
    # An upload is its sender's, whatever the clinic.
    of_uploads = {row.name for row in TABLE if UPLOAD in row.arguments}
    assert {row.name for row in TABLE if row.other_get} == by_key - of_uploads
    for row in TABLE:
        if row.other_get:
            assert "200" not in row.other_get + row.other_post
            assert set(row.other_post.split()[:-1]) <= {"404", "405"}


@pytest.mark.parametrize(
    "row", [row for row in TABLE if row.other_get and "pk=" in row.arguments], ids=lambda r: r.name
)
def test_a_number_that_is_nobodys_is_not_found(row):
    own = make_side("own", users=True)
    kinds = dict(part.split(":") for part in row.arguments.split() if ":" in part)
    for number in (0, 10**8, 2**63, 10**30):
        where = reverse(row.name, kwargs=kinds | {"pk": number})
        for role, user in own.users.items():
            client = Client()
            client.force_login(user)
            assert client.get(where).status_code in (404, 405), (role, number)
            assert client.post(where).status_code in (404, 405), (role, number)
