"""Load the demonstration once: clinics, cases, invented patients, users. Never beside real data."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from lesions.models import Patient
from sessions_app.allocation import open_allocation
from sessions_app.datasheets.importing import import_sheets
from sessions_app.datasheets.reading import read_path
from stsclinic.audit.acting import acting
from stsclinic.audit.models import Change
from stsclinic.clinics.models import Clinic, User
from stsclinic.demo.clinics import CASES, CLINICS, INVENTED, make_clinics
from stsclinic.demo.invented import invented_sheets, leave_draft, write_identities
from stsclinic.demo.pictures import add_pictures
from stsclinic.demo.users import make_users

ACTOR = "load_demo"
CASE_FOLDER = Path(__file__).resolve().parent / "cases"


def is_loaded() -> bool:
    """Whether this database is a demonstration: the trail, which nobody can change, says so."""
    made = Change.objects.filter(actor=ACTOR, source="command", action="created")
    return made.filter(table_name=Clinic._meta.db_table).exists()


def holds_data() -> bool:
    """Whether anything was entered into this database."""
    return any(model._base_manager.exists() for model in (Patient, User, Clinic))


def load(password: str) -> None:
    """Load everything in one transaction, so that a demonstration is whole or not there."""
    with acting(by=ACTOR, source="command"):
        clinics = make_clinics(by=ACTOR)
        for case in CASES:
            import_sheets(read_path(CASE_FOLDER / case), by=ACTOR, source="command")
        today = datetime.now(ZoneInfo(CLINICS[INVENTED][1])).date()
        import_sheets(invented_sheets(today), by=ACTOR, source="command")
        write_identities(by=ACTOR)
        _open_orlando()
        users = make_users(clinics, password, by=ACTOR)
        leave_draft(next(user for user in users if user.username == "nurse"))
        add_pictures(by=ACTOR)


def _open_orlando() -> None:
    """The published trial's allocation is open, as an act of the operator that the trail keeps."""
    open_allocation(
        clinic=Clinic.objects.get(code="orlando"),
        protocol_code="placebo3",
        patient=None,
        reason="The trial is over and published: Winter et al., JAAD Int 2020;1:114-20.",
        by=ACTOR,
        source="command",
    )
