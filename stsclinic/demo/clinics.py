"""The clinics of the demonstration: one for each published case, and one for invented patients."""

from stsclinic.audit.services import write_new
from stsclinic.clinics.models import Clinic

CASES = ("aarhus", "orlando", "hershey", "coimbra", "kansas")
"""The published cases; each folder of stsclinic/demo/cases/ is one, and its clinic bears the same code."""

INVENTED = "demo"
"""The code of the clinic whose patients are all invented."""

CLINICS = {
    "aarhus": ("Aarhus University Hospital", "Europe/Copenhagen", "Denmark"),
    "orlando": ("Orlando, blinded pilot study", "America/New_York", "United States"),
    "hershey": ("Penn State, Hershey", "America/New_York", "United States"),
    "coimbra": ("Unidade Local de Saúde de Coimbra", "Europe/Lisbon", "Portugal"),
    "kansas": ("Kansas, intravenous case", "America/Chicago", "United States"),
    INVENTED: ("Demonstration clinic, invented patients", "Europe/Copenhagen", "Denmark"),
}
"""Code: name, time zone and country."""


def make_clinics(*, by: str) -> list[Clinic]:
    """Make all of them."""
    made = [
        Clinic(code=code, name=name, time_zone=time_zone, country=country)
        for code, (name, time_zone, country) in CLINICS.items()
    ]
    for clinic in made:
        write_new(clinic, by=by, source="command")
    return made
