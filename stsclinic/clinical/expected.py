"""Which side effects are to be asked about on which days after a session, and which are expected at all?

Days count from the session, which is day 0. Where the reports give no days, the choice is ours and the
entry says so. Source: domain.md, "What happens", point 6 (000: pain, discolouration, blistering; 002: pain
for 48 hours; 003: drainage, infection, ulceration, necrosis of the pulp); 000 and 003 for what infusions cause.
"""

from dataclasses import dataclass

from stsclinic.clinical.protocols import SHIPPED, ProtocolDefinition

ROUTES = ("injection", "infusion")


@dataclass(frozen=True, kw_only=True)
class ExpectedTerm:
    """A side effect that the reports tell of, and when."""

    term: str
    first_day: int
    last_day: int
    when: str
    """In words, for the nurse's row; empty where the reports give no days."""
    source: str
    digits_only: bool = False
    """Whether it is asked about only where a finger or toe was injected."""
    route: str = "injection"


EXPECTED: tuple[ExpectedTerm, ...] = (
    ExpectedTerm(
        term="injection_site_pain", first_day=0, last_day=2, when="minutes to 48 hours", source="000, 002"
    ),
    ExpectedTerm(
        term="skin_discolouration", first_day=2, last_day=4, when="brownish, days 2-4", source="000"
    ),
    ExpectedTerm(term="skin_blistering", first_day=4, last_day=7, when="days 4-7", source="000"),
    # No report gives the days of an infection, of drainage or of an ulcer: the two weeks are our choice.
    ExpectedTerm(term="injection_site_infection", first_day=1, last_day=14, when="", source="000, 003"),
    ExpectedTerm(term="calcium_drainage", first_day=1, last_day=14, when="liquefied calcium", source="003"),
    ExpectedTerm(term="skin_ulceration", first_day=1, last_day=14, when="a new ulcer", source="003"),
    # Two weeks after in the report; asked about for a week before and after.
    ExpectedTerm(
        term="digital_necrosis",
        first_day=7,
        last_day=21,
        when="of the pulp, 2 weeks",
        source="003",
        digits_only=True,
    ),
    # Reports name these without days: we ask on the day of the infusion and the two after it.
    *(
        ExpectedTerm(term=term, first_day=0, last_day=2, when="", source=source, route="infusion")
        for term, source in (
            ("nausea", "000"),
            ("vomiting", "000, 003"),
            ("diarrhoea", "000"),
            ("abdominal_pain", "000"),
            ("headache", "003"),
            ("hypotension", "001, 003"),
            ("fatigue", "001"),
            ("metabolic_acidosis", "001, 003"),
            ("hypernatraemia", "003"),
        )
    ),
)
"""In the order of the nurse's row."""


def expected_on(
    days_since_session: int, *, route: str = "injection", digits: bool = True
) -> tuple[ExpectedTerm, ...]:
    """What to ask about so many days after a session.

    Args:
        digits: whether a finger or toe was injected.
    """
    return tuple(one for one in _of(route, digits) if one.first_day <= days_since_session <= one.last_day)


def usual_terms(
    days_since_session: int | None, *, route: str = "injection", digits: bool = True
) -> tuple[ExpectedTerm, ...]:
    """The nurse's row: what is expected on that day first, then the other usual ones.

    Args:
        days_since_session: None where no session was held yet.
    """
    now = () if days_since_session is None else expected_on(days_since_session, route=route, digits=digits)
    return (*now, *(one for one in _of(route, digits) if one not in now))


def expected_terms(definition: ProtocolDefinition) -> tuple[str, ...]:
    """The terms that count as expected under a protocol: its own list, or those told of its route.

    A shipped version that was stored before it had a list has that of its report: what a series has used
    is never edited.
    """
    shipped = next((one for one in SHIPPED if _key(one) == _key(definition)), definition)
    listed = definition.expected_terms or shipped.expected_terms
    return listed or tuple(one.term for one in _of(definition.route, digits=True))


def _key(definition: ProtocolDefinition) -> tuple[str, int]:
    return definition.code, definition.version


def is_expected(term: str, definition: ProtocolDefinition) -> bool:
    """Whether a side effect is on the protocol's list."""
    return term in expected_terms(definition)


def _of(route: str, digits: bool) -> tuple[ExpectedTerm, ...]:
    return tuple(one for one in EXPECTED if one.route == route and (digits or not one.digits_only))
