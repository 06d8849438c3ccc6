"""What is unusual in data sheets, but possible: it is listed and let through. All in UNUSUAL.

What a session sheet would refuse is an error of an import or stands here: nothing of the kind comes unsaid.
Source: the data sheet format, last paragraph before the codes; domain description for the limits.
"""

from collections import Counter, defaultdict
from decimal import Decimal

from django.utils import timezone

from sessions_app.datasheets.book import Book, Row
from sessions_app.datasheets.rules import PROTOCOL, Rule, reads
from sessions_app.services import EARLIEST
from stsclinic.clinical.dates import PartialDate, show_date
from stsclinic.clinical.numbers import show_decimal
from stsclinic.clinical.protocols import ProtocolDefinition
from stsclinic.clinical.rounds import region_of
from stsclinic.clinical.schedule import WindowState, follow_up_state, window_state


@reads("sessions", *PROTOCOL)
def _windows(book: Book) -> None:
    by_series: dict[tuple, list[Row]] = defaultdict(list)
    for row in book.by_key["sessions"].values():
        if row.values["held_on"] is not None:
            by_series[row.values["patient_id"], row.values["series_no"]].append(row)
    for rows in by_series.values():
        protocol = rows[0].protocol
        if protocol is None:
            continue
        treatments: list = []
        for row in sorted(rows, key=lambda row: (row.values["held_on"], row.values["session_no"])):
            held_on, kind = row.values["held_on"], row.values["kind"]
            first, last = (treatments[0], treatments[-1]) if treatments else (None, None)
            if kind == "treatment":
                _outside(book, row, protocol, window_state(protocol, last, held_on))
                treatments.append(held_on)
            elif kind == "follow_up":
                _outside(book, row, protocol, follow_up_state(protocol, first, last, held_on))


def _outside(book: Book, row: Row, protocol: ProtocolDefinition, where: WindowState | None) -> None:
    if where is not None and where.state != "in":
        late = "early" if where.state == "too_early" else "late"
        book.warn(
            row,
            "held_on",
            f"{_days(where.days)} after {where.counted_from}: {_days(where.days_outside)} too {late} for"
            f" protocol {protocol.code}.",
        )


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


@reads("injections", "sessions", "lesions", *PROTOCOL)
def _doses(book: Book) -> None:
    totals: dict[Row, list[Row]] = defaultdict(list)
    for row in book.rows["injections"]:
        protocol = row.protocol
        if protocol is None:
            continue
        _above(
            book, row, "concentration_mg_ml", protocol.usual_concentration_mg_ml, "mg/ml", "usual", protocol
        )
        _above(
            book, row, "volume_ml", protocol.max_volume_ml_per_lesion, "ml", "maximum for a lesion", protocol
        )
        if protocol.max_volume_ml_per_session is None and protocol.max_dose_mg_per_session is None:
            continue
        if row.session is not None and row.values["volume_ml"] is not None:
            totals[row.session].append(row)
    for rows in totals.values():
        protocol = rows[0].protocol
        if protocol is None:
            continue
        by_region: dict[str, Decimal] = defaultdict(Decimal)
        for row in rows:
            site = "" if row.lesion is None else row.lesion.values["body_site"]
            by_region[region_of(site)] += row.values["volume_ml"]
        for region, volume in by_region.items():
            _in_all(book, rows[0], f"The round of {region}", volume, protocol.max_volume_ml_per_session, "ml")
        dose = sum(
            (row.values["volume_ml"] * (row.values["concentration_mg_ml"] or 0) for row in rows), Decimal(0)
        )
        _in_all(book, rows[0], "The session", dose, protocol.max_dose_mg_per_session, "mg")


@reads("infusions", *PROTOCOL)
def _infusion_doses(book: Book) -> None:
    for row in book.rows["infusions"]:
        protocol = row.protocol
        if protocol is not None:
            _above(book, row, "dose_g", protocol.usual_infusion_g, "g", "usual", protocol)


def _in_all(book: Book, row: Row, what: str, total: Decimal, most: Decimal | None, unit: str) -> None:
    if most is not None and total > most:
        book.warn(
            row,
            "volume_ml",
            f"{what} has {show_decimal(total)} {unit} in all; the protocol's maximum is {show_decimal(most)} {unit}.",
        )


def _above(
    book: Book,
    row: Row,
    column: str,
    limit: Decimal | None,
    unit: str,
    what: str,
    protocol: ProtocolDefinition,
) -> None:
    if limit is not None and (value := row.values[column]) is not None and value > limit:
        book.warn(row, column, f"Above the {what} of protocol {protocol.code}: {show_decimal(limit)} {unit}.")


@reads("session_lesions")
def _widest(book: Book) -> None:
    for row in book.rows["session_lesions"]:
        longest, widest = row.values["longest_mm"], row.values["widest_mm"]
        if longest is not None and widest is not None and widest > longest:
            book.warn(row, "widest_mm", f"Wider than the longest measure, {show_decimal(longest)} mm.")


@reads("patients", "lesions")
def _lesion_counts(book: Book) -> None:
    listed = Counter(key[0] for key in book.by_key["lesions"])
    for row in book.rows["patients"]:
        counted, there = row.values["lesion_count"], listed[row.values["patient_id"]]
        if counted is not None and counted < there and not row.values["lesion_count_is_minimum"]:
            book.warn(row, "lesion_count", f"Fewer lesions counted than listed: {there}.")


@reads("patients", "sessions")
def _consent(book: Book) -> None:
    for row in book.rows["sessions"]:
        patient, held_on = row.patient, row.values["held_on"]
        if patient is None or held_on is None or patient.refused & {"consented_on", "withdrawn_on"}:
            continue
        consented_on, withdrawn_on = patient.values["consented_on"], patient.values["withdrawn_on"]
        if consented_on is None or consented_on > held_on:
            book.warn(row, "held_on", "No consent is recorded for that day.")
        if withdrawn_on is not None and withdrawn_on <= held_on:
            book.warn(row, "held_on", f"The patient withdrew on {show_date(withdrawn_on)}.")


OTHER_KINDS = ("follow_up", "assessment")
AGENT_OF_ARM = {"active": "sts", "control": "saline"}


@reads("sessions")
def _days_of_sessions(book: Book) -> None:
    today = timezone.localdate()
    for row in book.rows["sessions"]:
        held_on = row.values["held_on"]
        if held_on is not None and held_on > today:
            book.warn(row, "held_on", "The day is in the future.")
        elif held_on is not None and held_on < EARLIEST:
            book.warn(row, "held_on", f"The day is before {EARLIEST.year}.")


@reads("session_lesions", "sessions", "lesions", "series_lesions")
def _not_treated(book: Book) -> None:
    for row in book.rows["session_lesions"]:
        if row.treated is None and row.session is not None and row.lesion is not None:
            book.warn(row, "lesion_id", f"Series {row.values['series_no']} does not treat this lesion.")


@reads("injections", *PROTOCOL)
def _injected_by_another_route(book: Book) -> None:
    _other_route(book, "injections", "injection")


@reads("infusions", *PROTOCOL)
def _infused_by_another_route(book: Book) -> None:
    _other_route(book, "infusions", "infusion")


def _other_route(book: Book, sheet: str, route: str) -> None:
    for row in book.rows[sheet]:
        protocol = row.protocol
        if protocol is not None and protocol.route != route:
            book.warn(row, "session_no", f"Protocol {protocol.code} gives no {sheet}.")


@reads("infusions", "sessions")
def _infused_all_the_same(book: Book) -> None:
    for row in book.rows["infusions"]:
        if row.session is not None and row.session.values["kind"] in OTHER_KINDS:
            book.warn(row, "session_no", "Infused at a session that is no treatment.")


@reads("injections", "series_lesions", *PROTOCOL)
def _other_agent(book: Book) -> None:
    for row in book.rows["injections"]:
        protocol, treated = row.protocol, row.treated
        if protocol is None or not protocol.is_controlled or treated is None:
            continue
        arm, agent = treated.values["arm"], row.values["agent"]
        if not arm:
            book.warn(row, "lesion_id", "The lesion has no arm.")
        elif agent and agent != AGENT_OF_ARM[arm]:
            book.warn(row, "agent", f"The arm of the lesion is {arm}: its agent is {AGENT_OF_ARM[arm]}.")


@reads("injections", "sessions", session_lesions={"status": "gone"})
def _injected_all_the_same(book: Book) -> None:
    for row in book.rows["injections"]:
        if row.session is not None and row.session.values["kind"] in OTHER_KINDS:
            book.warn(row, "session_no", "Injected at a session that is no treatment.")
        if row.seen is not None and row.seen.values["status"] == "gone":
            book.warn(row, "lesion_id", "The lesion is gone at this session.")


@reads("medications", "prior_treatments")
def _stopped_before_started(book: Book) -> None:
    for sheet in ("medications", "prior_treatments"):
        for row in book.rows[sheet]:
            started, stopped = row.values["started_on"], row.values["stopped_on"]
            if (
                started
                and stopped
                and PartialDate.parse(stopped).latest < PartialDate.parse(started).earliest
            ):
                day = PartialDate.parse(started).show()
                book.warn(row, "stopped_on", f"Stopped before it was started, {day}.")


UNUSUAL: tuple[Rule, ...] = (
    _windows,
    _doses,
    _infusion_doses,
    _widest,
    _lesion_counts,
    _consent,
    _days_of_sessions,
    _not_treated,
    _injected_by_another_route,
    _infused_by_another_route,
    _infused_all_the_same,
    _other_agent,
    _injected_all_the_same,
    _stopped_before_started,
)
"""Every warning. Adding one is one function here."""
