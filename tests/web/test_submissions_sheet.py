"""Hundreds of random, hostile and merely careless submissions of the session sheet and the infusion sheet.

A sound sheet is made together with the rows that it must become, by rules of its own, and read back
from the database. Whatever is sent: an answer that is no error of the server, a session with all its
rows or none at all, clinical tables as they were after a refusal, and no typed text lost.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.urls import reverse
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sessions_app.drafts import open_draft, plan_of, texts_of
from sessions_app.models import (
    AlertAcknowledgement,
    Assessment,
    Infusion,
    Injection,
    Series,
    SessionDraft,
    TreatmentSession,
)
from stsclinic.clinical import terms
from stsclinic.clinics.models import User
from tests.builders import (
    make_assessment,
    make_clinic,
    make_injection,
    make_lesion,
    make_patient,
    make_series,
    make_session,
    make_user,
)

pytestmark = pytest.mark.django_db

TODAY = date.today()
CONSENTED, BEFORE = TODAY - timedelta(days=100), TODAY - timedelta(days=70)
WITHIN_WINDOW = st.dates(BEFORE + timedelta(days=6), BEFORE + timedelta(days=31))
CLINICAL = (TreatmentSession, Assessment, Injection, Infusion, AlertAcknowledgement, Series)
SIZE_BEFORE = {"longest_mm": Decimal("12.5"), "widest_mm": Decimal(8), "ulcer": True, "inflammation": None}
NOT_SEEN = {"longest_mm": None, "widest_mm": None, "ulcer": None, "inflammation": None}
INJECTION_CODES = {
    "technique": terms.TECHNIQUE,
    "anaesthesia": terms.ANAESTHESIA,
    "salt_form": terms.SALT_FORM,
    "dressing": terms.DRESSING,
}
YES_NO = {True: "yes", False: "no", None: ""}


class _RolledBack(Exception):
    """Ends a submission; what it wrote is taken back, so that each begins on the same ground."""


@dataclass
class Sheet:
    """What is sent, and what it must become; `wanted` is None where nobody says that it is sound."""

    typed: dict[str, str]
    wanted: "Wanted | None" = None


@dataclass
class Wanted:
    """The rows that a sound sheet must become: columns by the lesion's key."""

    session: dict
    assessments: dict[int, dict] = field(default_factory=dict)
    injections: dict[int, dict] = field(default_factory=dict)
    infusion: tuple | None = None
    series: tuple[str, str] = ("active", "")


# What people type


def _blanks(draw) -> str:
    return draw(st.sampled_from(["", "", "", " ", "\t", "\u00a0"]))


@st.composite
def _number(draw, low: str, high: str, places: int):
    """A number and one of the ways in which people type it."""
    unit = Decimal(1).scaleb(-places)
    steps = st.integers(int(Decimal(low) / unit), int(Decimal(high) / unit))
    value = draw(steps) * unit
    text = f"{value:f}"
    if places and draw(st.booleans()):
        text = text.rstrip("0").rstrip(".")
    if draw(st.booleans()):
        text = text.replace(".", ",")
    return value, _blanks(draw) + text + _blanks(draw)


def _maybe(strategy):
    return st.one_of(st.just((None, "")), strategy, strategy)


@st.composite
def _words(draw, most: int):
    text = draw(st.text(max_size=most))
    kept = text.replace("\r\n", "\n").replace("\x00", "").strip()
    return kept, text


def _code(vocabulary):
    return st.sampled_from(["", *vocabulary])


def _concentration():
    """Mostly the protocol's usual one or below it; above it, an approval is asked for."""
    usual = _number("0.01", "150", 2)
    return st.one_of(usual, usual, usual, _number("0.01", "999", 2))


JUNK = st.one_of(
    st.sampled_from(
        [
            "1.000,5",
            "1,000",
            "0,5,5",
            "-1",
            "0",
            "1e3",
            "NaN",
            "Infinity",
            "½",
            "٣",
            "0x10",
            "9" * 40,
            "yes",
            "on",
            "true",
            "gone",
            "2026-02-30",
            "0001-01-01",
            "9999-12-31",
            "31/12/2026",
            "<script>alert(1)</script>",
            "{{ 7|add:7 }}",
            "' OR 1=1 --",
            "=HYPERLINK(1)",
            "\x00",
            "\x1b[2J",
            "\u202e0,55",
            "x" * 21_000,
        ]
    ),
    st.text(max_size=30),
    st.decimals(allow_nan=True, allow_infinity=True).map(str),
    st.dates().map(str),
)


@st.composite
def _lesion(draw, spot: str, wanted: Wanted, key: int, *, confirms: str, common: dict):
    """One lesion's part of a sound sheet: gone, as last time, measured, or not looked at."""
    typed = {}
    states = ["gone", "measured", "measured", "unseen", *(["confirmed"] if confirms else [])]
    state = draw(st.sampled_from(states))
    seen = dict(NOT_SEEN)
    if state in ("measured", "confirmed"):
        for name in ("longest_mm", "widest_mm"):
            seen[name], typed[spot + name] = draw(_maybe(_number("0.01", "2000", 2)))
        if None not in (seen["longest_mm"], seen["widest_mm"]) and draw(st.booleans()):
            both = draw(st.sampled_from("xX×*")).join((typed[spot + "longest_mm"], typed[spot + "widest_mm"]))
            into, left = draw(st.permutations(("longest_mm", "widest_mm")))
            typed |= {spot + into: both, spot + left: ""}
        for name in ("ulcer", "inflammation"):
            seen[name] = draw(st.sampled_from([True, False, None]))
            typed[spot + name] = YES_NO[seen[name]]
    measured = seen["longest_mm"] is not None or seen["widest_mm"] is not None
    source = "measured" if measured else ""
    if state == "confirmed":
        typed[spot + "confirmed"] = confirms
        source = source or "confirmed"
        seen |= {name: before for name, before in SIZE_BEFORE.items() if seen[name] is None}
    if state == "gone":
        typed[spot + "gone"] = "on"
    if state == "gone":
        wanted.assessments[key] = NOT_SEEN | {"status": "gone", "size_source": ""}
    elif state == "confirmed" or seen != NOT_SEEN:
        wanted.assessments[key] = seen | {"status": "present", "size_source": source}
    if draw(st.booleans()):
        row, texts = draw(_injection(spot, common))
        wanted.injections[key] = row
        typed |= texts
    return typed


@st.composite
def _injection(draw, spot: str, common: dict):
    typed = {}
    volume, typed[spot + "volume_ml"] = draw(_number("0.001", "9.999", 3))
    pain, typed[spot + "pain_vas"] = draw(_maybe(_number("0", "10", 1)))
    own = {}
    for name, vocabulary in INJECTION_CODES.items():
        own[name] = typed[spot + name] = draw(_code(vocabulary))
    for name in ("lot_number", "needle"):
        own[name], typed[spot + name] = draw(_words(60))
    own["agent"] = typed[spot + "agent"] = draw(_code(terms.AGENT))
    own["concentration_mg_ml"], typed[spot + "concentration_mg_ml"] = draw(_maybe(_concentration()))
    row = {name: common[name] if value in (None, "") else value for name, value in own.items()}
    row["agent"] = row["agent"] or "sts"
    if row["agent"] == "saline":
        row["concentration_mg_ml"] = None
    return row | {"volume_ml": volume, "pain_vas": pain}, typed


@st.composite
def _visit(draw):
    """The date, the scores, the note, and what becomes of the series, in a sound sheet."""
    held_on = draw(st.one_of(WITHIN_WINDOW, WITHIN_WINDOW, st.dates(BEFORE, TODAY)))
    typed = {"held_on": held_on.isoformat()}
    session = {"held_on": held_on, "kind": "treatment", "session_no": 2}
    for name in ("ptga", "phga"):
        session[name], typed[name] = draw(_maybe(_number("1", "10", 0)))
    session["performed_by"], typed["performed_by"] = draw(_words(150))
    session["note"], typed["note"] = draw(_words(300))
    status = typed["series_status"] = draw(st.sampled_from(["", "", "completed", "stopped"]))
    reason = draw(st.sampled_from(list(terms.STOP_REASON))) if status == "stopped" else ""
    typed["stop_reason"] = reason
    return typed, Wanted(session=session, series=(status or "active", reason))


@st.composite
def sound_sheets(draw, lesions: list[tuple[int, str]]):
    """A treatment that everybody would take. `lesions` are (key, what `as last time` sends, if it may be ticked)."""
    typed, wanted = draw(_visit())
    common = {}
    for name, vocabulary in INJECTION_CODES.items():
        common[name] = typed[f"all-{name}"] = draw(_code(vocabulary))
    for name in ("lot_number", "needle"):
        common[name], typed[f"all-{name}"] = draw(_words(60))
    common["agent"] = typed["all-agent"] = draw(_code(terms.AGENT))
    common["concentration_mg_ml"], typed["all-concentration_mg_ml"] = draw(_concentration())
    for key, confirms in lesions:
        typed |= draw(_lesion(f"lesion-{key}-", wanted, key, confirms=confirms, common=common))
    return Sheet(typed, wanted)


@st.composite
def sound_infusions(draw):
    """An infusion that everybody would take."""
    typed, wanted = draw(_visit())
    dose, typed["infusion-dose_g"] = draw(_number("0.01", "60", 2))
    minutes, typed["infusion-duration_min"] = draw(_number("1", "600", 0))
    wanted.infusion = (dose, minutes)
    return Sheet(typed, wanted)


@st.composite
def careless_sheets(draw, sound, names: tuple[str, ...]):
    """A sound sheet with slips in some of its fields."""
    slips = draw(st.dictionaries(st.sampled_from(names), JUNK, min_size=1, max_size=4))
    return Sheet(draw(sound).typed | slips)


@st.composite
def hostile_sheets(draw, names: tuple[str, ...]):
    """Anything in any field, and fields that the sheet does not have."""
    known = draw(st.dictionaries(st.sampled_from(names), JUNK))
    foreign = st.sampled_from(
        ["state", "series", "lesion-1-observer_pga", "lesion--1-gone", "version", "id", "loaded"]
    )
    return Sheet(draw(st.dictionaries(foreign, JUNK)) | known)


def submissions(sound, names: tuple[str, ...]):
    """Sound, careless and hostile sheets in equal parts."""
    moods = {"sound": sound, "careless": careless_sheets(sound, names), "hostile": hostile_sheets(names)}
    return st.sampled_from(sorted(moods)).flatmap(moods.__getitem__)


# Sending, and looking at what came of it


def _rows() -> list[list[dict]]:
    return [list(model._base_manager.order_by("pk").values()) for model in CLINICAL]


def _clean(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\x00", "")


def _send(client, user: User, series: Series, sheet: Sheet) -> str:
    """Send one sheet as a person would, answering what is asked; give `logged` or `refused`."""
    before = _rows()
    draft = open_draft(series=series, kind="treatment", by=user)
    address, names = reverse("draft", args=[draft.pk]), plan_of(draft, user).field_names
    sent = {
        "loaded": json.dumps(texts_of(draft)),
        "action": "complete",
        "without_missing": "on",
        **sheet.typed,
    }
    answer = client.post(address, sent)
    if answer.status_code == 422 and not answer.context["error_rows"]:
        notes = {card.name: "Seen" for card in answer.context["alert_cards"] if card.alert.needs_note}
        answer = client.post(address, {**sent, "loaded": answer.context["loaded"], **notes})
    assert answer.status_code in (200, 302, 409, 422)
    draft = SessionDraft.objects.get(pk=draft.pk)
    if draft.state == "open":
        assert _rows() == before, "A refused sheet left something behind"
        _assert_nothing_typed_is_lost(draft, names, sheet, answer)
        return "refused"
    assert answer.status_code == 302
    assert draft.state == "completed" and TreatmentSession.objects.filter(series=series).count() == 2
    _assert_whole(draft.session, sheet)
    return "logged"


def _assert_nothing_typed_is_lost(draft, names, sheet: Sheet, answer) -> None:
    kept = texts_of(draft)
    typed = {name: _clean(sheet.typed.get(name, "")) for name in names}
    if "loaded" in sheet.typed:
        # What lies about the sheet it was loaded with meets conflicts: the page shows the person's own text.
        kept = {name: answer.context["cells"][name].value for name in names}
        typed = {name: text for name, text in typed.items() if text}
    assert {name: kept.get(name, "") for name in typed} == typed


def _assert_whole(session: TreatmentSession, sheet: Sheet) -> None:
    """As many rows as the texts say, whoever typed them."""
    typed = {name: _clean(text).strip() for name, text in sheet.typed.items()}
    volumes = [name for name, text in typed.items() if name.endswith("-volume_ml") and text]
    gone = [name for name, text in typed.items() if name.endswith("-gone") and text]
    assert session.injections.count() == len(volumes)
    assert session.assessments.filter(status="gone").count() == len(gone)
    assert session.infusions.count() == bool(typed.get("infusion-dose_g"))
    if sheet.wanted:
        _assert_equal(session, sheet.wanted)


def _assert_equal(session: TreatmentSession, wanted: Wanted) -> None:
    assert {name: getattr(session, name) for name in wanted.session} == wanted.session
    for rows, expected in (
        (session.assessments.all(), wanted.assessments),
        (session.injections.all(), wanted.injections),
    ):
        columns = next(iter(expected.values()), {})
        assert {row.lesion_id: {name: getattr(row, name) for name in columns} for row in rows} == expected
    infusion = session.infusions.first()
    assert (infusion and (infusion.dose_g, infusion.duration_min)) == wanted.infusion
    series = Series.objects.get(pk=session.series_id)
    assert (series.status, series.stop_reason) == wanted.series


def _submit_many(client, user, series, sheets, number: int) -> Counter:
    """Send so many sheets, each on the same ground; count what came of them."""
    tally: Counter = Counter()
    client.force_login(user)

    @settings(max_examples=number, database=None, deadline=None, derandomize=True, phases=[Phase.generate])
    @given(sheets)
    def submit(sheet: Sheet) -> None:
        try:
            with transaction.atomic():
                outcome = _send(client, user, series, sheet)
                raise _RolledBack
        except _RolledBack:
            tally["all"] += 1
            tally[outcome, "sound" if sheet.wanted else "unsound"] += 1

    submit()
    return tally


def _begun_series(protocol: str, lesions: int):
    clinic = make_clinic()
    patient = make_patient(clinic, consented_on=CONSENTED, offered_on=CONSENTED)
    rows = [make_lesion(patient) for _ in range(lesions)]
    series = make_series(patient, rows, protocol=protocol, started_on=BEFORE)
    return make_user("clinician", clinic), series, make_session(series, BEFORE), rows


def test_session_sheets(client):
    user, series, first, (seen, gone, unseen) = _begun_series("weekly4", 3)
    before = make_assessment(first, seen, **SIZE_BEFORE)
    make_assessment(first, gone, status="gone", longest_mm=None, widest_mm=None, ulcer=None)
    make_injection(first, seen)
    with transaction.atomic():
        names = plan_of(open_draft(series=series, kind="treatment", by=user), user).field_names
        transaction.set_rollback(True)
    sound = sound_sheets([(seen.pk, f"{before.pk}.{before.version}"), (gone.pk, ""), (unseen.pk, "")])
    tally = _submit_many(client, user, series, submissions(sound, names), 500)
    assert tally["all"] >= 500
    assert tally["refused", "sound"] == 0
    assert tally["logged", "sound"] >= 100
    assert tally["refused", "unsound"] >= 100


def test_infusion_sheets(client):
    user, series, _first, _lesions = _begun_series("iv", 0)
    with transaction.atomic():
        names = plan_of(open_draft(series=series, kind="treatment", by=user), user).field_names
        transaction.set_rollback(True)
    sound = sound_infusions()
    tally = _submit_many(client, user, series, submissions(sound, names), 150)
    assert tally["all"] >= 150
    assert tally["refused", "sound"] == 0
    assert tally["logged", "sound"] >= 30
    assert tally["refused", "unsound"] >= 30
