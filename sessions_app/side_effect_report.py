"""One side effect with the content of the CIOMS I form: the reaction, the suspect drug, what else was taken.

Pseudonymous: study ID, sex and age. While an allocation is closed to the reader, agent, dose,
concentration, volume and lot are left out, as on every page.
Source: CIOMS I form (Council for International Organizations of Medical Sciences), its four parts.
"""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q

from lesions.models import Medication, PriorTreatment
from sessions_app.allocation import allocation_visible
from sessions_app.models import Infusion, Injection, Series, SideEffect
from sessions_app.side_effect_narrative import age_words, narrative_of
from sessions_app.side_effect_pages import event_page
from sessions_app.side_effects import is_over
from stsclinic.clinical.challenge import abated_after_stopping, reappeared_after_giving_again
from stsclinic.clinical.dates import PartialDate, add_months, show_date
from stsclinic.clinical.dosing import session_totals
from stsclinic.clinical.facts import InjectionFacts
from stsclinic.clinical.numbers import show_decimal
from stsclinic.clinical.seriousness import SERIOUS_CRITERIA
from stsclinic.clinical.terms import OVERLAP_WITH

CLOSED = "Not shown: the allocation is closed"
MONTHS_BEFORE = 6
"""A drug that was stopped so lately is named: a vasodilator's stop came before a necrosis (003)."""
YES_NO = {True: "Yes", False: "No", None: ""}


@dataclass(frozen=True)
class Given:
    """What was given on one day before the onset, in words."""

    on: str
    where: str
    dose: str
    lot: str


@dataclass
class CiomsReport:
    """The four parts of the form, each as rows of .label and .value."""

    patient: list[dict]
    reaction: list[dict]
    criteria: list[tuple[str, bool]]
    narrative: list[str]
    """Sentences."""
    course: list[dict]
    drug: list[dict]
    given: list[Given]
    is_closed: bool
    concomitant: list[str]
    stopped: list[str]
    """Drugs that were stopped in the 6 months before the onset."""
    history: list[dict]
    source: list[dict]


def report_of(user, effect: SideEffect, now: datetime) -> CiomsReport:
    """The report of one side effect as `user` may see it, at that moment."""
    patient, clinic = effect.patient, effect.patient.clinic
    page = event_page(user, effect, now)
    series = list(
        Series.objects.filter(patient=patient).select_related("protocol", "patient__clinic")
        if effect.series is None
        else [effect.series]
    )
    visible = {row.pk: allocation_visible(user, row) for row in series}
    given, route, agents = _given(effect, series, visible)
    local = now.astimezone(clinic.zone)
    taken, stopped = _medications(effect)
    return CiomsReport(
        patient=[
            _row("Patient (study ID)", patient.study_id),
            _row("Sex", patient.get_sex_display()),
            _row("Age at onset", age_words(patient.birth_year, effect.onset_on)),
        ],
        reaction=[
            _row("Country", effect.patient.clinic.country),
            _row("Reaction", _reaction(effect)),
            *(row for row in page.facts if row["label"] not in ("MedDRA",) or row["value"]),
            _row("Serious", YES_NO[effect.serious]),
        ],
        criteria=[(words, code in effect.seriousness_criteria) for code, words in SERIOUS_CRITERIA.items()],
        narrative=narrative_of(effect, given=_span(given), drug=agents, stopped=stopped, on=local.date()),
        course=page.course,
        drug=[
            _row("Suspect drug", agents),
            _row("Route", ", ".join(route)),
            _row("Indication", f"Calcinosis cutis ({patient.get_diagnosis_display().lower()})"),
            _row("Given before the onset", _span(given)),
            *_challenges(effect, _given_on(series), local.date()),
        ],
        given=[entry for _day, entry in given],
        is_closed=not all(visible.values()),
        concomitant=taken,
        stopped=stopped,
        history=[
            _row("Diagnosis", patient.get_diagnosis_display()),
            _row(
                "Overlap of",
                ", ".join(OVERLAP_WITH.get(code, code) for code in patient.overlap_with.split(";")),
            ),
            _row("Raynaud's phenomenon", patient.get_raynaud_display()),
            _row("Hypersensitive to sodium thiosulfate", YES_NO[patient.sts_hypersensitivity]),
            _row("Pregnant", YES_NO[patient.pregnant]),
            _row("Breast-feeding", YES_NO[patient.breast_feeding]),
            _row("Earlier treatments", _prior(effect)),
        ],
        source=[
            _row("Clinic", f"{clinic.name} ({clinic.code})"),
            _row("Protocol", str(effect.series.protocol) if effect.series else "None"),
            *(
                [
                    _row("Known to the clinic to be serious since", _moment(effect.serious_known_at, clinic)),
                    _row("Sponsor told", _told(effect)),
                ]
                if effect.serious
                else []
            ),
            _row("Report", _kind(effect)),
            _row("Report printed", f"{show_date(local.date())} {local:%H:%M}"),
            _row("Printed by", user.get_username()),
        ],
    )


def _kind(effect: SideEffect) -> str:
    """Whether the sponsor hears of it for the first time."""
    if effect.sponsor_told_on is None:
        return "Initial: that the sponsor was told is not recorded"
    return f"Follow-up: the sponsor was first told on {show_date(effect.sponsor_told_on)}"


def _row(label: str, value: str) -> dict:
    return {"label": label, "value": value}


def _reaction(effect: SideEffect) -> str:
    term = effect.get_term_display()
    return f"{term}: {effect.term_detail}" if effect.term_detail else term


def _given(effect: SideEffect, series: list[Series], visible: dict[int, bool]):
    """What was given up to the onset, the routes and the drug, in words."""
    within = {
        "session__series__in": [row.pk for row in series],
        "session__struck_out_at": None,
        "session__held_on__lte": effect.onset_on,
    }
    injections: dict = {}
    for row in (
        Injection.objects.filter(**within)
        .select_related("session", "lesion")
        .order_by("session__held_on", "session_id", "lesion__lesion_id")
    ):
        injections.setdefault(row.session, []).append(row)
    found: list[tuple[date, Given]] = []
    agents: set[str] = set()
    for session, rows in injections.items():
        shown = visible[session.series_id]
        if shown:
            agents |= {row.get_agent_display() for row in rows}
        where = ", ".join(f"{row.lesion.lesion_id} {row.lesion.site_words}" for row in rows)
        lots = ", ".join(sorted({row.lot_number for row in rows if row.lot_number}))
        found.append(
            (
                session.held_on,
                Given(
                    show_date(session.held_on),
                    where,
                    _dose(rows) if shown else CLOSED,
                    lots if shown else CLOSED,
                ),
            )
        )
    routes = ["Injection into the lesion"] if injections else []
    infusions = Infusion.objects.filter(**within).select_related("session").order_by("session__held_on", "pk")
    for infusion in infusions:
        shown = visible[infusion.session.series_id]
        dose = f"{show_decimal(infusion.dose_g)} g in {infusion.duration_min} min" if shown else CLOSED
        agents.add("Sodium thiosulfate")
        found.append(
            (infusion.session.held_on, Given(show_date(infusion.session.held_on), "Into a vein", dose, ""))
        )
    if any("vein" in entry.where for _day, entry in found):
        routes.append("Infusion into a vein")
    if not all(visible.values()):
        agents = {"Sodium thiosulfate or saline (blinded)"}
    return sorted(found, key=lambda entry: entry[0]), routes, ", ".join(sorted(agents))


def _dose(rows: list[Injection]) -> str:
    """`0.5 ml of 150 mg/ml (75 mg)` for each strength, with the salt that the mg count."""
    strengths: dict = {}
    for row in rows:
        strengths.setdefault((row.agent, row.concentration_mg_ml, row.salt_form), []).append(row)
    words = []
    for (agent, concentration, _salt), same in strengths.items():
        totals = session_totals(
            [
                InjectionFacts(
                    lesion_id=row.lesion.lesion_id,
                    agent=agent,
                    concentration_mg_ml=concentration,
                    volume_ml=row.volume_ml,
                )
                for row in same
            ]
        )
        volume = f"{show_decimal(totals.volume_ml)} ml"
        if agent != "sts":
            words.append(f"{volume} of {same[0].get_agent_display().lower()}")
            continue
        salt = f", {same[0].get_salt_form_display().lower()}" if same[0].salt_form else ""
        words.append(
            f"{volume} of {show_decimal(concentration)} mg/ml ({show_decimal(totals.dose_mg)} mg{salt})"
        )
    return "; ".join(words)


def _span(given: list[tuple[date, Given]]) -> str:
    if not given:
        return "Nothing is recorded"
    first, last = given[0][0], given[-1][0]
    days = len({day for day, _entry in given})
    span = show_date(first) if first == last else f"{show_date(first)} to {show_date(last)}"
    return f"{span}, on {days} day{'s' if days > 1 else ''}"


def _given_on(series: list[Series]) -> list[date]:
    """Every day on which something was given, in order."""
    within = {"session__series__in": [row.pk for row in series], "session__struck_out_at": None}
    days: set[date] = set()
    for model in (Injection, Infusion):
        days |= set(model.objects.filter(**within).values_list("session__held_on", flat=True))
    return sorted(days)


def _challenges(effect: SideEffect, given_on: list[date], on: date) -> list[dict]:
    """Boxes 20 and 21 of the form: what followed a stop, and giving again."""
    over = is_over(effect)
    same = SideEffect.objects.filter(
        patient=effect.patient, term=effect.term, term_detail=effect.term_detail
    ).exclude(pk=effect.pk)
    abated = abated_after_stopping(
        given_on=given_on,
        onset_on=effect.onset_on,
        resolved_on=effect.resolved_on,
        outcome=effect.outcome,
        is_over=over,
        on=on,
    )
    reappeared = reappeared_after_giving_again(
        given_on=given_on,
        onset_on=effect.onset_on,
        resolved_on=effect.resolved_on,
        is_over=over,
        same_onsets=list(same.values_list("onset_on", flat=True)),
    )
    return [
        _row("Abated after stopping (20)", abated.words),
        _row("Reappeared after giving again (21)", reappeared.words),
    ]


def _medications(effect: SideEffect) -> tuple[list[str], list[str]]:
    """What may have been taken at the onset, and what may have been stopped in the 6 months before, in words.

    A date that is unknown, or known in part, counts in the way that names the drug.
    """
    taken, stopped = [], []
    since = add_months(effect.onset_on, -MONTHS_BEFORE)
    for row in Medication.objects.filter(patient=effect.patient):
        start = PartialDate.parse(row.started_on) if row.started_on else None
        stop = PartialDate.parse(row.stopped_on) if row.stopped_on else None
        if (start and start.earliest > effect.onset_on) or (stop and stop.latest < since):
            continue
        dates = [f"from {start.show()}"] if start else []
        dates += [f"to {stop.show()}"] if stop else []
        drug = " ".join(filter(None, (row.name, row.dose)))
        role = row.get_role_display().lower()
        if stop is None or stop.latest >= effect.onset_on:
            taken.append(f"{drug} ({', '.join([role, *dates])})")
        else:
            dates.append(f"{_days_before(stop, effect.onset_on)} before the onset")
            stopped.append(f"{drug} ({', '.join([role, *dates])})")
    return taken, stopped


def _days_before(stop: PartialDate, onset_on: date) -> str:
    """`88 days`, or `59 to 89 days` where the date is known in part."""
    least, most = (onset_on - stop.latest).days, (onset_on - stop.earliest).days
    return f"{most} day{'s' if most > 1 else ''}" if least == most else f"{least} to {most} days"


def _prior(effect: SideEffect) -> str:
    """Earlier treatments of this lesion, or of all."""
    here = Q(lesion=None) | Q(lesion=effect.lesion_id) if effect.lesion_id else Q()
    rows = PriorTreatment.objects.filter(here, patient=effect.patient)
    return ", ".join(dict.fromkeys(row.words for row in rows)) or "None recorded"


def _moment(value: datetime | None, clinic) -> str:
    if value is None:
        return ""
    local = value.astimezone(clinic.zone)
    return f"{show_date(local.date())} {local:%H:%M}"


def _told(effect: SideEffect) -> str:
    if effect.sponsor_told_on is None:
        return "Not yet"
    at = f" {effect.sponsor_told_time:%H:%M}" if effect.sponsor_told_time else ""
    who = f", {effect.sponsor_told_who}" if effect.sponsor_told_who else ""
    return f"{show_date(effect.sponsor_told_on)}{at}{who}"
