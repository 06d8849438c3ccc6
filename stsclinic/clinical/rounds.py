"""What is one round of injections? The lesions of one region of the body, injected at one visit.

Report 002 counts so: at one visit 5 ml went into the hands and 5 ml into the elbow, "four rounds
into the hands and three into the elbow". Both sides of the body are one region, as its hands are.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from stsclinic.clinical.facts import InjectionFacts

_SITES = {
    "the head and neck": ("scalp", "face", "ear", "neck"),
    "the shoulders and upper arms": ("clavicle", "shoulder", "upper_arm"),
    "the elbows": ("elbow", "antecubital_fossa"),
    "the forearms": ("forearm",),
    "the hands": (
        "wrist",
        "hand_dorsum",
        "palm",
        "thumb",
        "index_finger",
        "middle_finger",
        "ring_finger",
        "little_finger",
    ),
    "the trunk": ("chest", "breast", "abdomen", "flank", "upper_back", "lower_back"),
    "the hips and thighs": ("groin", "hip", "buttock", "thigh"),
    "the knees": ("knee", "popliteal_fossa"),
    "the lower legs": ("lower_leg",),
    "the feet": ("ankle", "heel", "foot_dorsum", "sole", "toe"),
}

REGION: Mapping[str, str] = {site: region for region, sites in _SITES.items() for site in sites}
"""The region in words of every body site."""

UNKNOWN_REGION = "lesions without a recorded site"


def region_of(body_site: str) -> str:
    """The region in words; a site that is not recorded is a region of its own."""
    return REGION.get(body_site, UNKNOWN_REGION)


def rounds(injections: Iterable[InjectionFacts]) -> dict[str, list[InjectionFacts]]:
    """The injections of one visit by region, in the order in which the regions first come."""
    found: dict[str, list[InjectionFacts]] = defaultdict(list)
    for injection in injections:
        found[region_of(injection.body_site)].append(injection)
    return dict(found)
