"""What does a sheet take over from the last treatment before the day of the visit; a correction from its session?

All of it stands visibly in the fields, and follows until somebody types there: a new sheet follows the day that is
typed, a correction what somebody else makes of its session.
"""

import datetime
from collections import Counter
from typing import NamedTuple

from sessions_app.entries import lesion_field
from sessions_app.last_time import GivenBefore
from sessions_app.models import Infusion, SessionDraft
from sessions_app.sheet import SheetPlan, as_text, day_of_visit, values_of
from sessions_app.sheet_fields import BETRAYING_FIELDS
from stsclinic.clinical.numbers import show_decimal


def carried_values(plan: SheetPlan, visit: datetime.date | None) -> dict[str, str]:
    """{field: text} as at the series' last treatment up to a day, else as the protocol usually has it.

    A correction stands as its session does.
    """
    if plan.corrects:
        return values_of(plan.corrects, plan)
    if plan.has_infusion:
        return _infusion(plan, visit)
    return _injections(plan, visit) if plan.has_injections else {}


class Standing(NamedTuple):
    """A field of a draft as it stands, and whether nobody typed it."""

    name: str
    value: str
    is_carried: bool


def standing_in(draft: SessionDraft) -> list[Standing]:
    """The fields of a draft as they stand. One query."""
    return [Standing(*row) for row in draft.fields.values_list(*Standing._fields)]


def carried_anew(plan: SheetPlan, fields: list[Standing]) -> dict[str, str]:
    """{field: text} of what is to be carried for the day that is typed now and does not stand so yet."""
    rows = {row.name: row for row in fields}
    visit = day_of_visit({name: row.value for name, row in rows.items()})
    wanted = carried_values(plan, visit)
    free = [name for name in plan.field_names if name not in rows or rows[name].is_carried]
    stands = {name: rows[name].value if name in rows else "" for name in free}
    return {name: text for name in free if (text := wanted.get(name, "")) != stands[name]}


def _infusion(plan: SheetPlan, visit: datetime.date | None) -> dict[str, str]:
    given = Infusion.objects.filter(session__series=plan.series)
    if visit is not None:
        given = given.filter(session__held_on__lte=visit)
    last = given.order_by("-session__held_on", "-session__session_no").first()
    dose, minutes = plan.definition.usual_infusion_g, plan.definition.usual_infusion_min
    if last:
        dose, minutes = last.dose_g, last.duration_min
    if dose is None or minutes is None:
        return {}
    return {"infusion-dose_g": show_decimal(dose), "infusion-duration_min": str(minutes)}


def _injections(plan: SheetPlan, visit: datetime.date | None) -> dict[str, str]:
    """The injection fields for all lesions, and of a lesion that had others."""
    given = plan.course.last_treatment(plan.series.pk, visit)
    usual = _usual_injection(plan, list(given.values()))
    values = {f"all-{name}": text for name, text in usual.items() if text}
    for pk, row in given.items():
        own = _own_values(plan, row)
        values |= {lesion_field(pk, name): text for name, text in own.items() if text != usual[name]}
    return values


def _own_values(plan: SheetPlan, given: GivenBefore) -> dict[str, str]:
    """The injection fields that a lesion had, other than its lot, as one would type them."""
    names = [name for name in plan.common_fields if name != "lot_number"]
    known = [name for name in names if not (given.hides_allocation and name in BETRAYING_FIELDS)]
    return {name: text for name in known if (text := as_text(getattr(given, name)))}


def _usual_injection(plan: SheetPlan, given: list[GivenBefore]) -> dict[str, str]:
    """What most lesions got at the series' last treatment; before the first, what the protocol usually has."""
    usual = {}
    for name in plan.common_fields:
        if name == "lot_number":
            continue
        typed = Counter(as_text(getattr(row, name)) for row in given)
        usual[name] = typed.most_common(1)[0][0] if typed else ""
    if not given and plan.shows_allocation and not plan.definition.is_controlled:
        usual["agent"] = "sts"
        if plan.definition.usual_concentration_mg_ml is not None:
            usual["concentration_mg_ml"] = show_decimal(plan.definition.usual_concentration_mg_ml)
    return usual
