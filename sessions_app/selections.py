"""A selection in words and in codes: on the report's page, in the log, in what a job keeps, in a manifest."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from stsclinic.clinical.dates import show_date
from stsclinic.clinical.numbers import show_decimal
from stsclinic.clinical.remission import HORIZON
from stsclinic.clinical.terms import BODY_SITE, DIAGNOSIS, SUBTYPE
from stsclinic.reporting.selection import UNIT, Selection


def selection_facts(selection: Selection) -> list[tuple[str, str]]:
    """What was chosen within the clinics, for people."""
    return [
        ("Protocol", ", ".join(sorted(selection.protocols)) or "All"),
        ("Diagnosis", _words(DIAGNOSIS, selection.diagnoses)),
        ("Subtype", _words(SUBTYPE, selection.subtypes)),
        ("Body site", _words(BODY_SITE, selection.body_sites)),
        ("Concentration", _concentration_words(selection)),
        ("First treatment", _period_words(selection)),
        ("Headline", f"{UNIT[selection.unit]}, {HORIZON[selection.horizon].lower()}"),
    ]


def selection_in_a_line(selection: Selection, clinics: Mapping[str, str]) -> str:
    """What was chosen, for people, without what was not; empty where nothing was.

    Args:
        clinics: the names of clinics by their codes.
    """
    nothing = dict(selection_facts(Selection()))
    names = [name for code, name in clinics.items() if code in selection.clinics]
    told = [f"Clinics: {'; '.join(names)}"] if names else []
    told += [f"{what}: {value}" for what, value in selection_facts(selection) if value != nothing[what]]
    return "; ".join(told)


def selection_by_codes(selection: Selection) -> list[str]:
    """What was chosen, for the log; nothing where everything was."""
    parts = {
        "clinic": ", ".join(sorted(selection.clinics)),
        "protocol": ", ".join(sorted(selection.protocols)),
        "diagnosis": ", ".join(sorted(selection.diagnoses)),
        "subtype": ", ".join(sorted(selection.subtypes)),
        "body site": ", ".join(sorted(selection.body_sites)),
        "mg/ml": ", ".join(show_decimal(one) for one in sorted(selection.concentrations)),
        "from": _iso(selection.first_treatment_from),
        "to": _iso(selection.first_treatment_to),
    }
    return [f"{name} {value}" for name, value in parts.items() if value]


def selection_as_json(selection: Selection) -> dict[str, Any]:
    """All of a selection but its clinics, as JSON can hold it."""
    return {
        "protocols": sorted(selection.protocols),
        "diagnoses": sorted(selection.diagnoses),
        "subtypes": sorted(selection.subtypes),
        "body_sites": sorted(selection.body_sites),
        "concentrations_mg_ml": [show_decimal(one) for one in sorted(selection.concentrations)],
        "first_treatment_from": _iso(selection.first_treatment_from),
        "first_treatment_to": _iso(selection.first_treatment_to),
        "horizon": selection.horizon,
        "unit": selection.unit,
    }


def selection_from_json(kept: Mapping[str, Any]) -> Selection:
    """The selection again. What a job of an earlier version did not know of was not chosen."""
    return Selection(
        protocols=frozenset(kept["protocols"]),
        diagnoses=frozenset(kept["diagnoses"]),
        subtypes=frozenset(kept.get("subtypes", ())),
        body_sites=frozenset(kept.get("body_sites", ())),
        concentrations=frozenset(map(Decimal, kept.get("concentrations_mg_ml", ()))),
        first_treatment_from=_day(kept["first_treatment_from"]),
        first_treatment_to=_day(kept["first_treatment_to"]),
        horizon=kept.get("horizon", "follow_up"),
        unit=kept.get("unit", "series"),
    )


def _words(labels: Mapping[str, str], codes: frozenset[str]) -> str:
    return ", ".join(label for code, label in labels.items() if code in codes) or "All"


def _concentration_words(selection: Selection) -> str:
    return ", ".join(f"{show_decimal(one)} mg/ml" for one in sorted(selection.concentrations)) or "All"


def _period_words(selection: Selection) -> str:
    first, last = selection.first_treatment_from, selection.first_treatment_to
    if first and last:
        return f"{show_date(first)} to {show_date(last)}"
    if first:
        return f"From {show_date(first)}"
    return f"To {show_date(last)}" if last else "Any day"


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
