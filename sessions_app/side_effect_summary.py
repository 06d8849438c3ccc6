"""The side effects of clinics: by term and grade, site, concentration, and days since the injection.

The concentration is that of the lesion's last injection on or before the onset. While the allocation of
a controlled protocol is closed to the reader, its rows are left out of the concentrations.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Case, Count, F, OuterRef, QuerySet, Subquery, When

from sessions_app.concealed import Concealed, concealed_for
from sessions_app.models import Injection, SideEffect, TreatmentSession
from stsclinic.clinical.numbers import show_decimal
from stsclinic.clinical.resolution import is_over
from stsclinic.clinical.terms import AGENT, BODY_SITE, SIDE_EFFECT_TERM

GRADES = (1, 2, 3, 4, 5)

DAYS = (
    ("Same day", 0),
    ("1-2 days", 2),
    ("3-4 days", 4),
    ("5-7 days", 7),
    ("8-14 days", 14),
    ("15-28 days", 28),
    ("29 days or more", None),
)
"""Words, and the last day since the injection or infusion before."""

BEFORE_ANY = "Before any treatment"
WHOLE_PATIENT = "The whole patient"
BAR_UNITS = 100
"""The longest bar, in SVG units."""


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    label: str
    kind: str = "count"
    unit: str = ""


@dataclass(kw_only=True)
class Breakdown:
    """One table, with a bar for each row."""

    key: str
    title: str
    columns: list[Column]
    rows: list[list[str]]
    bars: list[dict]
    """Each .label .count .width, the width in SVG units of BAR_UNITS."""
    footnotes: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class Summary:
    """The page's facts."""

    total: int
    patients: int
    serious: int
    still_open: int
    breakdowns: list[Breakdown]


def side_effect_summary(user, clinic_ids: Collection[int]) -> Summary:
    """The side effects of these clinics, as far as `user` may see. Three queries, whatever the size."""
    concealed = concealed_for(user)
    rows = list(_effects(clinic_ids))
    injected_sites = dict(
        _injections(clinic_ids).order_by().values_list("lesion__body_site").annotate(Count("pk"))
    )
    injected_strengths, leaves_out = _injected_strengths(clinic_ids, concealed)
    strengths = Counter(
        _strength(row["given_agent"], row["given_mg_ml"])
        for row in rows
        if row["given_agent"]
        and not concealed.hides(
            clinic_id=row["patient__clinic_id"],
            patient_id=row["patient_id"],
            protocol_code=row["given_protocol"],
            is_controlled=row["given_controlled"],
        )
    )
    return Summary(
        total=len(rows),
        patients=len({row["patient_id"] for row in rows}),
        serious=sum(row["serious"] is True for row in rows),
        still_open=sum(not is_over(resolved_on=row["resolved_on"], outcome=row["outcome"]) for row in rows),
        breakdowns=[
            _by_term(rows),
            _by_grade(rows),
            _by_site(rows, injected_sites),
            _by_strength(strengths, injected_strengths, leaves_out),
            _by_days(rows),
        ],
    )


def _effects(clinic_ids: Collection[int]) -> QuerySet:
    """Each side effect with the last injection of its lesion, and the patient's last treatment, before it."""
    given = Injection.objects.filter(
        lesion=OuterRef("lesion"),
        session__held_on__lte=OuterRef("onset_on"),
        session__struck_out_at=None,
        session__series__struck_out_at=None,
    ).order_by("-session__held_on", "-session__session_no", "-pk")
    treated = TreatmentSession.objects.filter(
        series__patient=OuterRef("patient"),
        series__struck_out_at=None,
        kind="treatment",
        held_on__lte=OuterRef("onset_on"),
    ).order_by("-held_on", "-pk")

    def of_given(path: str) -> Subquery:
        return Subquery(given.values(path)[:1])

    return (
        SideEffect.objects.filter(patient__clinic__in=clinic_ids, patient__struck_out_at=None)
        .annotate(
            given_agent=of_given("agent"),
            given_mg_ml=of_given("concentration_mg_ml"),
            given_protocol=of_given("session__series__protocol__code"),
            given_controlled=of_given("session__series__protocol__is_controlled"),
            given_on=of_given("session__held_on"),
            treated_on=Subquery(treated.values("held_on")[:1]),
            site=F("lesion__body_site"),
        )
        .order_by("pk")
        .values(
            "patient_id",
            "patient__clinic_id",
            "term",
            "grade",
            "onset_on",
            "resolved_on",
            "outcome",
            "serious",
            "site",
            "given_agent",
            "given_mg_ml",
            "given_protocol",
            "given_controlled",
            "given_on",
            "treated_on",
        )
    )


def _injections(clinic_ids: Collection[int]) -> QuerySet[Injection]:
    return Injection.objects.filter(
        session__series__patient__clinic__in=clinic_ids,
        session__series__patient__struck_out_at=None,
        session__series__struck_out_at=None,
        session__struck_out_at=None,
    )


def _injected_strengths(clinic_ids: Collection[int], concealed: Concealed) -> tuple[Counter, bool]:
    """Injections by agent and concentration, as far as they may be seen; and whether any may not."""
    found: Counter = Counter()
    leaves_out = False
    series = "session__series"
    groups = (
        _injections(clinic_ids)
        .order_by()
        .values_list(
            "agent",
            "concentration_mg_ml",
            f"{series}__patient__clinic_id",
            # Only trials are opened patient by patient.
            Case(
                When(**{f"{series}__protocol__is_controlled": True}, then=F(f"{series}__patient_id")),
                default=0,
            ),
            f"{series}__protocol__code",
            f"{series}__protocol__is_controlled",
        )
        .annotate(count=Count("pk"))
    )
    for agent, mg_ml, clinic_pk, patient_pk, code, is_controlled, count in groups:
        if concealed.hides(
            clinic_id=clinic_pk, patient_id=patient_pk, protocol_code=code, is_controlled=is_controlled
        ):
            leaves_out = True
            continue
        found[_strength(agent, mg_ml)] += count
    return found, leaves_out


def _strength(agent: str, mg_ml: Decimal | None) -> tuple[Decimal, str]:
    """(what is sorted by, words) of what was injected."""
    if agent == "saline" or mg_ml is None:
        return Decimal(-1), AGENT[agent]
    return mg_ml, f"{AGENT[agent]} {show_decimal(mg_ml)} mg/ml"


# Tables


def _by_term(rows: list[dict]) -> Breakdown:
    counts = Counter((row["term"], row["grade"]) for row in rows)
    totals = Counter(row["term"] for row in rows)
    terms = sorted(totals, key=lambda term: (-totals[term], SIDE_EFFECT_TERM[term]))
    return _breakdown(
        "term",
        "By term",
        [Column("Side effect", "text"), *(Column(f"Grade {grade}") for grade in GRADES), Column("All")],
        [
            (SIDE_EFFECT_TERM[term], [*(counts[term, grade] for grade in GRADES), totals[term]], totals[term])
            for term in terms
        ],
        ["Grades after CTCAE."],
    )


def _by_grade(rows: list[dict]) -> Breakdown:
    counts = Counter(row["grade"] for row in rows)
    serious = Counter(row["grade"] for row in rows if row["serious"] is True)
    return _breakdown(
        "grade",
        "By grade",
        [Column("Grade", "text"), Column("Side effects"), Column("Serious")],
        [
            (f"Grade {grade}", [counts[grade], serious[grade]], counts[grade])
            for grade in GRADES
            if counts[grade]
        ],
    )


def _by_site(rows: list[dict], injected: Mapping[str, int]) -> Breakdown:
    counts = Counter(row["site"] or "" for row in rows)
    sites = sorted(counts, key=lambda site: (not site, -counts[site], BODY_SITE.get(site, "")))
    return _breakdown(
        "site",
        "By site",
        [
            Column("Site", "text"),
            Column("Side effects"),
            Column("Injections"),
            Column("Per 100 injections", "number"),
        ],
        [
            (
                BODY_SITE.get(site, WHOLE_PATIENT),
                [
                    counts[site],
                    injected.get(site, 0) if site else "",
                    _rate(counts[site], injected.get(site, 0)),
                ],
                counts[site],
            )
            for site in sites
        ],
    )


def _by_strength(counts: Counter, injected: Counter, leaves_out: bool) -> Breakdown:
    notes = [
        "The last injection of the lesion on or before the onset; side effects of no lesion are not here."
    ]
    if leaves_out:
        notes.append("Trials whose allocation is closed to you are left out.")
    return _breakdown(
        "concentration",
        "By concentration",
        [
            Column("Injected", "text"),
            Column("Side effects"),
            Column("Injections"),
            Column("Per 100 injections", "number"),
        ],
        [
            (
                strength[1],
                [counts[strength], injected[strength], _rate(counts[strength], injected[strength])],
                counts[strength],
            )
            for strength in sorted({*counts, *injected})
        ],
        notes,
    )


def _by_days(rows: list[dict]) -> Breakdown:
    counts: Counter = Counter()
    for row in rows:
        since = row["given_on"] or row["treated_on"]
        counts[_span((row["onset_on"] - since).days) if since else BEFORE_ANY] += 1
    words = [*(words for words, _last in DAYS), BEFORE_ANY]
    return _breakdown(
        "days",
        "By days since the injection",
        [Column("Onset", "text"), Column("Side effects")],
        [(one, [counts[one]], counts[one]) for one in words if counts[one] or one != BEFORE_ANY],
        ["Since the lesion's last injection; where none is named, since the patient's last treatment."],
    )


def _span(days: int) -> str:
    return next(words for words, last in DAYS if last is None or days <= last)


def _rate(count: int, injections: int) -> str:
    """Side effects for each hundred injections, to one decimal; empty without injections."""
    return f"{100 * count / injections:.1f}" if injections else ""


def _breakdown(
    key: str, title: str, columns: list[Column], rows: list[tuple[str, list, int]], notes: Sequence[str] = ()
) -> Breakdown:
    """A table, and its bars.

    Args:
        rows: the words of each row, its cells, and what its bar counts.
    """
    most = max((count for _words, _cells, count in rows), default=0)
    return Breakdown(
        key=key,
        title=title,
        columns=columns,
        rows=[[words, *(str(cell) for cell in cells)] for words, cells, _count in rows],
        bars=[
            {"label": words, "count": count, "width": f"{BAR_UNITS * count / most:.1f}" if most else "0"}
            for words, _cells, count in rows
        ],
        footnotes=list(notes),
    )
