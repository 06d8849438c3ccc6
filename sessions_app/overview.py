"""What a patient's page shows: lesions, series with their sessions, scores, doses and outcomes.

A fixed number of queries, however many lesions and sessions there are. What the allocation of a
closed controlled protocol would betray (arm, agent, mg, and the syringes counted by agent) is
left out here, so that no template can show it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils import timezone

from lesions import bodymap
from lesions.at_hand import at_hand
from lesions.models import Lesion, Medication, Patient, PriorTreatment
from sessions_app.allocation import allocation_visible
from sessions_app.models import (
    Assessment,
    Infusion,
    Injection,
    Photograph,
    Series,
    SeriesLesion,
    SideEffect,
    SideEffectInquiry,
    TreatmentSession,
)
from sessions_app.selectors import Sheet, drafts_of, photographs_of, sheets_of
from sessions_app.seriousness import Standing, standing_of
from sessions_app.side_effect_pages import asked_lately
from sessions_app.side_effects import is_over
from stsclinic.charts import Line, LineChart, line_chart
from stsclinic.clinical import terms
from stsclinic.clinical.dates import PartialDate
from stsclinic.clinical.dosing import Totals, session_totals
from stsclinic.clinical.facts import InjectionFacts
from stsclinic.clinical.numbers import show_decimal
from stsclinic.clinical.remission import (
    OUTCOME,
    Judgement,
    PtgaChange,
    judge_group,
    judge_lesion,
    ptga_change,
)
from stsclinic.statement import Given, statement

SHOWN_PHOTOGRAPHS = 24


@dataclass(frozen=True, kw_only=True)
class Amount:
    """What was given. None: left out, since the allocation is closed, or nothing of the kind was given."""

    volume_ml: Decimal | None
    dose_mg: Decimal | None
    syringes: int | None
    infused_g: Decimal | None

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(
            volume_ml=_sum(self.volume_ml, other.volume_ml),
            dose_mg=_sum(self.dose_mg, other.dose_mg),
            syringes=_sum(self.syringes, other.syringes),
            infused_g=_sum(self.infused_g, other.infused_g),
        )


NOTHING_GIVEN = Amount(volume_ml=None, dose_mg=None, syringes=None, infused_g=None)


@dataclass(kw_only=True)
class SessionRow:
    """One session of a series' timeline."""

    session: TreatmentSession
    days_since: int | None
    """Days since the session before it in the series; None for the first."""
    lesions_treated: int
    amount: Amount
    side_effects: list[SideEffect]
    pga: str = ""
    """The PGA of each lesion, 0-4, in words."""
    pain: str = ""
    """The pain of each injection, VAS 0-10, in words."""
    correction: Sheet | None = None


@dataclass(kw_only=True)
class LesionOutcome:
    """What became of a lesion in a series, at each horizon."""

    lesion: Lesion
    arm: str
    """In words; empty where there is none, or where it is left out."""
    end_of_treatment: Judgement
    follow_up: Judgement

    @property
    def words(self) -> str:
        """The headline outcome in words."""
        return OUTCOME[self.follow_up.outcome]

    @property
    def words_at_end_of_treatment(self) -> str:
        """The outcome by the treatment sessions alone, in words."""
        return OUTCOME[self.end_of_treatment.outcome]


@dataclass(kw_only=True)
class SeriesPage:
    """One series as the page shows it."""

    series: Series
    lesions: list[Lesion]
    rows: list[SessionRow]
    total: Amount
    is_concealed: bool
    outcomes: list[LesionOutcome]
    outcome: str
    """The headline outcome as a code; empty while nothing was treated."""
    chart: LineChart | None
    sheet: Sheet | None
    closed: list[Sheet]
    """The sheets that were closed without a session, with something typed in them; the newest first."""

    @property
    def outcome_words(self) -> str:
        """The headline outcome in words."""
        return OUTCOME.get(self.outcome, "")

    @property
    def has_infusions(self) -> bool:
        return self.series.protocol.route == "infusion" or self.total.infused_g is not None

    @property
    def has_injections(self) -> bool:
        return self.series.protocol.route == "injection" or self.total.volume_ml is not None

    @property
    def shows_scores(self) -> bool:
        """Whether the protocol uses PtGA and PhGA."""
        return self.series.protocol.uses_ptga_phga

    @property
    def shows_pga(self) -> bool:
        return self.series.protocol.uses_pga or any(row.pga for row in self.rows)

    @property
    def shows_pain(self) -> bool:
        return self.series.protocol.asks_injection_pain or any(row.pain for row in self.rows)

    @property
    def columns_before_amounts(self) -> int:
        """How many columns of the sessions' table stand before what was given."""
        return 4 + 2 * self.shows_scores + self.shows_pga + self.shows_pain

    @property
    def takes_treatments(self) -> bool:
        return self.series.status in ("planned", "active")


class Seen(NamedTuple):
    """What was seen of a lesion at a session. Measures in mm."""

    session: TreatmentSession
    status: str
    longest_mm: Decimal | None
    widest_mm: Decimal | None
    ulcer: bool | None


@dataclass(kw_only=True)
class LesionRow:
    """A lesion with what was seen of it last."""

    lesion: Lesion
    last: Seen | None
    last_on: date | None
    size: str
    """The last measures, `12 × 8`, in mm; empty when never measured."""
    size_on: date | None

    @property
    def state(self) -> str:
        """`gone`, `ulcer` or `present`."""
        if self.last is None:
            return "present"
        return "gone" if self.last.status == "gone" else "ulcer" if self.last.ulcer else "present"


@dataclass(kw_only=True)
class Overview:
    """Everything of one patient's page."""

    lesions: list[LesionRow]
    outline: bodymap.Outline | None
    series: list[SeriesPage]
    """The latest first."""
    total: Amount
    is_concealed: bool
    """Whether a dose of some series is left out of the total."""
    medications: list[Medication]
    stopped_medications: list[Medication]
    prior_treatments: list[PriorTreatment]
    side_effects: list[SideEffect]
    ended_side_effects: list[SideEffect]
    standings: dict[int, Standing | None]
    """Where each side effect stands with the sponsor, by its key."""
    asked: list[SideEffectInquiry]
    """When somebody asked for side effects, the latest first."""
    timeline: list[tuple[SeriesPage, SessionRow]] = field(default_factory=list)
    """The sessions of all series, the latest first; empty where one series says it all."""
    photographs: list[Photograph] = field(default_factory=list)
    more_photographs: int = 0


def _lists() -> Any:
    return field(default_factory=lambda: defaultdict(list))


@dataclass(kw_only=True)
class _Rows:
    """The patient's rows, by the key of what they hang on."""

    lesions: dict[int, Lesion]
    sessions: dict[int, list[TreatmentSession]] = _lists()
    treated: dict[int, list[tuple[Lesion, str]]] = _lists()
    assessments: dict[int, list[Seen]] = _lists()
    injections: dict[int, list[InjectionFacts]] = _lists()
    pga: dict[int, list[tuple[str, Any]]] = _lists()
    pain: dict[int, list[tuple[str, Any]]] = _lists()
    infusions: dict[int, Infusion] = field(default_factory=dict)
    side_effects: dict[int, list[SideEffect]] = _lists()
    sheets: dict[int, Sheet] = field(default_factory=dict)
    corrections: dict[int, Sheet] = field(default_factory=dict)
    closed: dict[int, list[Sheet]] = _lists()


def overview_of(patient: Patient, user, today: date) -> Overview:
    """The patient's page for this user, who may see the patient; `today` is the clinic's date."""
    lesions = _lesions().rows(patient=patient.pk)
    series = _series().rows(patient=patient.pk)
    for one in series:
        one.patient = patient
    effects = _effects().rows(patient=patient.pk)
    for effect in effects:
        effect.patient = patient
    now = timezone.now()
    rows = _load(patient, user, lesions, series, effects)
    is_visible = _visibility(user)
    pages = [_series_page(one, rows, is_visible(one)) for one in series]
    lesion_rows = _lesion_rows(lesions, rows)
    medications = at_hand(patient).medications
    stopped = [row for row in medications if _is_stopped(row, today)]
    found = Overview(
        lesions=lesion_rows,
        outline=bodymap.outline([_marked(row) for row in lesion_rows]) if lesion_rows else None,
        series=pages,
        total=sum((page.total for page in pages), NOTHING_GIVEN),
        is_concealed=any(page.is_concealed and page.total.volume_ml is not None for page in pages),
        medications=[row for row in medications if row not in stopped],
        stopped_medications=stopped,
        prior_treatments=_prior_treatments().rows(patient=patient.pk),
        side_effects=[row for row in effects if not is_over(row)],
        ended_side_effects=[row for row in effects if is_over(row)],
        standings={row.pk: standing_of(row, now) for row in effects},
        asked=asked_lately(patient),
    )
    if sum(bool(page.rows) for page in pages) > 1:
        found.timeline = sorted(
            ((page, row) for page in pages for row in page.rows),
            key=lambda one: (one[1].session.held_on, one[0].series.series_no, one[1].session.session_no or 0),
            reverse=True,
        )
    photographs = photographs_of(user, "see_photographs", patient)
    found.photographs = photographs[:SHOWN_PHOTOGRAPHS]
    found.more_photographs = len(photographs) - len(found.photographs)
    return found


@statement
def _lesions() -> QuerySet[Lesion]:
    return Lesion.objects.filter(patient=Given("patient"))


@statement
def _series() -> QuerySet[Series]:
    return Series.objects.filter(patient=Given("patient")).select_related("protocol").order_by("-series_no")


@statement
def _effects() -> QuerySet[SideEffect]:
    effects = SideEffect.objects.filter(patient=Given("patient"))
    return effects.select_related("lesion", "session", "series").order_by("-onset_on", "-pk")


@statement
def _prior_treatments() -> QuerySet[PriorTreatment]:
    return PriorTreatment.objects.filter(patient=Given("patient")).select_related("lesion")


@statement
def _sessions() -> QuerySet[TreatmentSession]:
    sessions = TreatmentSession.objects.filter(series__patient=Given("patient"), series__struck_out_at=None)
    return sessions.order_by("session_no")


@statement
def _treated() -> QuerySet[Any]:
    treated = SeriesLesion.objects.filter(series__patient=Given("patient"))
    return treated.order_by("position", "lesion__lesion_id").values_list("series_id", "lesion_id", "arm")


def _of_sessions(model: Any) -> QuerySet[Any]:
    """What hangs on the sessions of `_sessions`."""
    rows = model.objects.filter(session__series__patient=Given("patient"))
    return rows.filter(session__struck_out_at=None, session__series__struck_out_at=None).order_by()


@statement
def _assessments() -> QuerySet[Any]:
    seen = ("session_id", "lesion_id", "pga", "status", "longest_mm", "widest_mm", "ulcer")
    return _of_sessions(Assessment).values_list(*seen)


@statement
def _injections() -> QuerySet[Any]:
    return _of_sessions(Injection).values_list("session_id", "lesion_id", "pain_vas", *_GIVEN)


@statement
def _infusions() -> QuerySet[Infusion]:
    return _of_sessions(Infusion)


_GIVEN = ("agent", "concentration_mg_ml", "volume_ml", "salt_form")


def _load(
    patient: Patient, user, lesions: list[Lesion], series: list[Series], effects: list[SideEffect]
) -> _Rows:
    found = _Rows(lesions={lesion.pk: lesion for lesion in lesions})
    for session in _sessions().rows(patient=patient.pk):
        found.sessions[session.series_id].append(session)
    for series_pk, lesion_pk, arm in _treated().rows(patient=patient.pk):
        if lesion_pk in found.lesions:
            found.treated[series_pk].append((found.lesions[lesion_pk], terms.ARM.get(arm, "")))
    sessions = {row.pk: row for listed in found.sessions.values() for row in listed}
    number = {one.pk: one.series_no for one in series}

    def when(seen: Seen) -> tuple:
        return seen.session.held_on, number[seen.session.series_id], seen.session.session_no or 0

    # A session that a colleague completed since the sessions were read is on the next page.
    for session_pk, lesion_pk, pga, *values in _assessments().rows(patient=patient.pk):
        if session_pk not in sessions:
            continue
        found.assessments[lesion_pk].append(Seen._make((sessions[session_pk], *values)))
        if pga is not None and lesion_pk in found.lesions:
            found.pga[session_pk].append((found.lesions[lesion_pk].lesion_id, pga))
    for listed in found.assessments.values():
        listed.sort(key=when)
    for session_pk, lesion_pk, pain, *values in _injections().rows(patient=patient.pk):
        if session_pk not in sessions:
            continue
        if pain is not None and lesion_pk in found.lesions:
            found.pain[session_pk].append((found.lesions[lesion_pk].lesion_id, pain))
        injected = InjectionFacts(lesion_id=str(lesion_pk), **dict(zip(_GIVEN, values, strict=True)))
        found.injections[session_pk].append(injected)
    found.infusions = {row.session_id: row for row in _infusions().rows(patient=patient.pk)}
    for effect in effects:
        if effect.session_id:
            found.side_effects[effect.session_id].append(effect)
    of_series = {one.pk: one for one in series}
    written = drafts_of(user, "see_patients", patient, "open", "discarded")
    for draft in written:
        draft.series = of_series[draft.series_id]
    for sheet in sheets_of(user, written):
        if sheet.draft.state == "discarded":
            if sheet.draft.version:
                found.closed[sheet.draft.series_id].append(sheet)
        elif sheet.draft.corrects_id:
            found.corrections[sheet.draft.corrects_id] = sheet
        else:
            found.sheets[sheet.draft.series_id] = sheet
    return found


def _visibility(user) -> Callable[[Series], bool]:
    """`allocation_visible`, asked once for each protocol of the one patient."""
    known: dict[int, bool] = {}

    def is_visible(series: Series) -> bool:
        if series.protocol_id not in known:
            known[series.protocol_id] = allocation_visible(user, series)
        return known[series.protocol_id]

    return is_visible


def _series_page(series: Series, rows: _Rows, is_visible: bool) -> SeriesPage:
    sessions = rows.sessions[series.pk]
    before: date | None = None
    listed = []
    for session in sessions:
        injections = rows.injections[session.pk]
        listed.append(
            SessionRow(
                session=session,
                days_since=None if before is None else (session.held_on - before).days,
                lesions_treated=len(injections),
                amount=_amount(injections, rows.infusions.get(session.pk), is_visible),
                side_effects=rows.side_effects[session.pk],
                pga=_of_each(rows.pga[session.pk]),
                pain=_of_each(rows.pain[session.pk]),
                correction=rows.corrections.get(session.pk),
            )
        )
        before = session.held_on
    treated = rows.treated[series.pk]
    outcomes = _outcomes(sessions, treated, rows, is_visible) if _treatments(sessions) else []
    return SeriesPage(
        series=series,
        lesions=[lesion for lesion, _arm in treated],
        rows=listed,
        total=sum((row.amount for row in listed), NOTHING_GIVEN),
        is_concealed=not is_visible,
        outcomes=outcomes,
        outcome=judge_group(one.follow_up.outcome for one in outcomes) if _treatments(sessions) else "",
        chart=_chart(series, sessions),
        sheet=rows.sheets.get(series.pk),
        closed=rows.closed[series.pk][::-1],
    )


NAMED_LESIONS = 3


def _of_each(values: Iterable[tuple[str, Any]]) -> str:
    """A value of each lesion: `L1 3, L2 2`; of more than a few lesions from the lowest to the highest."""
    found = sorted(values)
    if len(found) <= NAMED_LESIONS:
        return ", ".join(f"{lesion} {show_decimal(Decimal(value))}" for lesion, value in found)
    low, high = (show_decimal(Decimal(pick(value for _lesion, value in found))) for pick in (min, max))
    return f"{low} to {high}, {len(found)} lesions"


def _amount(injections: Sequence[InjectionFacts], infusion: Infusion | None, is_visible: bool) -> Amount:
    """What one session gave; without mg and syringes where the allocation is closed."""
    totals: Totals = session_totals(injections)
    return Amount(
        volume_ml=totals.volume_ml if injections else None,
        dose_mg=totals.dose_mg if injections and is_visible else None,
        syringes=totals.syringes if injections and is_visible else None,
        infused_g=infusion.dose_g if infusion else None,
    )


def _outcomes(
    sessions: Sequence[TreatmentSession], treated: list[tuple[Lesion, str]], rows: _Rows, is_visible: bool
) -> list[LesionOutcome]:
    """Each treated lesion's outcome at both horizons, by stsclinic.clinical.remission."""
    horizons = {"end_of_treatment": _treatments(sessions), "follow_up": list(sessions)}
    counted: dict[str, tuple[set[int], PtgaChange]] = {
        code: ({session.pk for session in seen}, ptga_change([session.ptga for session in seen]))
        for code, seen in horizons.items()
    }
    found = []
    for lesion, arm in treated:
        in_order = sorted(rows.assessments[lesion.pk], key=lambda row: row.session.session_no or 0)
        judged = {
            code: judge_lesion([row for row in in_order if row.session.pk in keys], ptga)
            for code, (keys, ptga) in counted.items()
        }
        found.append(LesionOutcome(lesion=lesion, arm=arm if is_visible else "", **judged))
    return found


def _treatments(sessions: Iterable[TreatmentSession]) -> list[TreatmentSession]:
    return [session for session in sessions if session.kind == "treatment"]


def _chart(series: Series, sessions: Sequence[TreatmentSession]) -> LineChart | None:
    """PtGA and PhGA of the series' sessions; None without a score."""
    if not any(score is not None for session in sessions for score in (session.ptga, session.phga)):
        return None
    return line_chart(
        [
            Line("PtGA", [(session.session_no or 0, session.ptga) for session in sessions]),
            Line("PhGA", [(session.session_no or 0, session.phga) for session in sessions]),
        ],
        title=f"PtGA and PhGA, series {series.series_no}",
        x_label="Session",
        y_label="Score, 1 to 10",
        y_range=(1, 10),
        chart_id=f"scores-{series.pk}",
    )


def _lesion_rows(lesions: Sequence[Lesion], rows: _Rows) -> list[LesionRow]:
    found = []
    for lesion in lesions:
        seen = rows.assessments[lesion.pk]
        last = seen[-1] if seen else None
        measured = next(
            (row for row in reversed(seen) if row.longest_mm is not None or row.widest_mm is not None), None
        )
        found.append(
            LesionRow(
                lesion=lesion,
                last=last,
                last_on=last.session.held_on if last else None,
                size=f"{_mm(measured.longest_mm)} × {_mm(measured.widest_mm)}" if measured else "",
                size_on=measured.session.held_on if measured else None,
            )
        )
    return found


def _mm(value: Decimal | None) -> str:
    return "?" if value is None else show_decimal(value)


def _marked(row: LesionRow) -> bodymap.MarkedLesion:
    words = [row.lesion.get_lesion_type_display().lower(), f"{row.size} mm" if row.size else ""]
    return bodymap.MarkedLesion(
        label=row.lesion.lesion_id,
        body_site=row.lesion.body_site,
        laterality=row.lesion.laterality,
        url=f"#lesion-{row.lesion.pk}",
        text=", ".join(word for word in words if word),
        state=row.state,
        put_at=row.lesion.put_at,
    )


def _is_stopped(row: Medication, today: date) -> bool:
    return bool(row.stopped_on) and PartialDate.parse(row.stopped_on).earliest <= today


def _sum(first, second):
    """The sum of what is there; None where neither is."""
    return first if second is None else second if first is None else first + second
