"""Data sheets as a person exchanges them: only of and into the clinics where the person has the right."""

from collections.abc import Collection
from typing import Any

from sessions_app.allocation import closed_for, closed_in
from sessions_app.dataout.plan import Plan
from sessions_app.datasheets.checking import Allowed, Checked, check
from sessions_app.datasheets.importing import import_sheets
from sessions_app.datasheets.raw import RawSheets
from sessions_app.models import ExportJob
from sessions_app.selections import selection_as_json, selection_by_codes, selection_from_json
from stsclinic.access import NotAllowed, clinics_where
from stsclinic.clinics.models import Clinic, User

RIGHT = "exchange_data"
"""To import, and to let notes and days as recorded leave."""
EXPORT_RIGHT = "export_data"

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def exchange_clinics(user: User) -> list[Clinic]:
    """The clinics of which `user` may export data sheets, and into which `user` may import them."""
    return list(Clinic.objects.filter(pk__in=clinics_where(user, RIGHT)))


def export_clinics(user: User) -> list[Clinic]:
    """The clinics of which `user` may export de-identified data."""
    return list(Clinic.objects.filter(pk__in=clinics_where(user, EXPORT_RIGHT)))


def may_export_as_recorded(user: User, clinics: Collection[str]) -> bool:
    """Whether `user` may let dates and notes of all these clinics (by code) leave."""
    return set(clinics) <= {one.code for one in exchange_clinics(user)}


def export_words(plan: Plan) -> str:
    """What leaves, for the log: formats, clinics, selection and form, without the reason."""
    told = [f"formats {', '.join(sorted(plan.formats))}", f"clinics {', '.join(sorted(plan.clinics))}"]
    told += selection_by_codes(plan.selection)
    as_recorded = ", ".join(["dates"] * plan.with_dates + ["free text"] * plan.with_text)
    told += [f"as recorded {as_recorded}"] if as_recorded else ["de-identified"]
    return "; ".join(told + ["replaced IDs"] * plan.new_ids)


def plan_of(job: ExportJob) -> Plan:
    """The plan of a job, under the rights that its user has now.

    Raises:
        NotAllowed: the user lost a right that it needs.
    """
    chosen, user = job.chosen, job.made_by
    closed = frozenset(map(tuple, chosen.get("closed", [])))
    plan = Plan(
        clinics=tuple(chosen["clinics"]),
        formats=tuple(chosen["formats"]),
        selection=selection_from_json(chosen),
        with_dates=chosen["with_dates"],
        with_text=chosen["with_text"],
        new_ids=chosen["new_ids"],
        danish=chosen["danish"],
        closed=closed,
    )
    # What was closed when it was asked stays left out; nothing else may be closed now.
    if not closed >= set(map(tuple, closed_in(user, chosen["clinics"]))):
        raise NotAllowed
    allowed = {one.code for one in export_clinics(user)}
    if not user.is_active or not set(plan.clinics) <= allowed:
        raise NotAllowed
    if not (plan.is_deidentified or may_export_as_recorded(user, plan.clinics)):
        raise NotAllowed
    return plan


def chosen_from(plan: Plan, user: User) -> dict[str, Any]:
    """What a job keeps of a plan, and which allocations are closed for `user`."""
    return {
        "clinics": list(plan.clinics),
        "formats": list(plan.formats),
        **selection_as_json(plan.selection),
        "with_dates": plan.with_dates,
        "with_text": plan.with_text,
        "new_ids": plan.new_ids,
        "danish": plan.danish,
        "closed": closed_in(user, plan.clinics),
    }


def allowed_to(user: User) -> Allowed:
    """What an import by `user` may do: change and add patients in one's own clinics."""
    return Allowed(
        clinics=[one.code for one in exchange_clinics(user)], updates=True, closed=closed_for(user)
    )


def check_for(user: User, raw: RawSheets) -> Checked:
    """Check sheets as an import by `user` would, and write nothing."""
    return check(raw, allowed_to(user))


def import_for(user: User, raw: RawSheets, *, digest: str, reason: str) -> Checked:
    """Import sheets into the clinics of `user`: all of them, or nothing.

    Args:
        digest: of the plan that the user has seen. Where it is another one now, nothing is written.
        reason: why; history keeps it at every row.

    Raises:
        ImportRefused: there are errors, or the database changed while it was written.
    """
    return import_sheets(
        raw,
        by=user.username,
        source="import",
        allowed=allowed_to(user),
        reason=reason,
        agrees=lambda checked: not checked.errors and checked.plan.digest == digest,
    )
