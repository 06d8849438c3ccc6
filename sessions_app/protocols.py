"""Protocols: which a person may see, how a new version is made, and what a page says of one.

The shipped protocols belong to no clinic, and their versions come with a release alone: a new version
made by one clinic would become the protocol of all others, without anybody there having chosen it. So a
clinic makes a protocol of its own, under a code of its own, beginning as a copy; of its own protocols it
makes new versions under the same code. A version that a series has used is never edited: there is no
form for it, and the database refuses it (sessions_app/frozen.py).
"""

from dataclasses import asdict, dataclass, fields

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from sessions_app.models import FOLLOW_UP_FROM, ROUTE, Protocol, Series
from stsclinic.access import clinics_where
from stsclinic.audit.acting import acting
from stsclinic.audit.services import write_new
from stsclinic.clinical.alerts import ALERTS
from stsclinic.clinical.expected import expected_terms
from stsclinic.clinical.numbers import show_decimal
from stsclinic.clinical.protocols import ProtocolDefinition
from stsclinic.clinical.terms import SIDE_EFFECT_TERM, SUBTYPE
from stsclinic.clinics.models import Clinic, User

NAMES = tuple(field.name for field in fields(ProtocolDefinition))
PLAN_NAMES = tuple(name for name in NAMES if name not in ("code", "version"))
"""What a form of a protocol asks for."""
FIXED_NAMES = ("route", "is_controlled")
"""What is the same in all versions of a code: reports and the allocation speak of a code as a whole."""


def protocols_seen(user: User) -> QuerySet[Protocol]:
    """Every version of the shipped protocols and of those of the user's clinics, with `series_count`.

    `series_count` counts the series of the user's clinics; struck-out ones are left out.
    """
    clinics = clinics_where(user, "see_protocols")
    used = (
        Series.objects.filter(protocol=OuterRef("pk"), patient__clinic__in=clinics)
        .order_by()
        .values("protocol")
        .annotate(count=Count("pk"))
        .values("count")
    )
    return (
        Protocol.objects.filter(Q(clinic=None) | Q(clinic__in=clinics))
        .select_related("clinic")
        .annotate(series_count=Coalesce(Subquery(used), 0))
    )


def protocol_clinics(user: User, protocol: Protocol) -> QuerySet[Clinic]:
    """The clinics for which `user` may make a protocol out of this one: empty where none.

    A copy of a shipped one goes to any clinic where the user manages protocols; a new version of a
    clinic's own stays with that clinic.
    """
    clinics = Clinic.objects.filter(pk__in=clinics_where(user, "manage_protocols"))
    return clinics if protocol.clinic_id is None else clinics.filter(pk=protocol.clinic_id)


def copy_protocol(*, clinic: Clinic, code: str, values: dict, by: str, source: str = "page") -> Protocol:
    """Make a clinic's own protocol under a new code, as version 1.

    Raises:
        ValidationError: the code is taken (by any clinic: data sheets know protocols by code alone), or a
            value is not valid.
    """
    with acting(by=by, source=source):
        if Protocol.objects.filter(code=code).exists():
            raise ValidationError({"code": "This code is taken. Choose another."})
        return _write(Protocol(clinic=clinic, code=code, version=1, **_plan(values)), by=by, source=source)


def make_new_version(protocol: Protocol, *, values: dict, by: str, source: str = "page") -> Protocol:
    """Make the next version of a clinic's own protocol. Series that run keep the version they have.

    Raises:
        ValidationError: the protocol is a shipped one, a value is not valid, or a colleague made the
            same version in the same moment.
    """
    if protocol.clinic_id is None:
        raise ValidationError("A shipped protocol gets no new version here; make a copy for your clinic.")
    values = values | {name: getattr(protocol, name) for name in FIXED_NAMES}
    with acting(by=by, source=source):
        # The clinic's row makes two of its administrators wait for each other.
        Clinic.objects.select_for_update().get(pk=protocol.clinic_id)
        last = Protocol.objects.filter(code=protocol.code).aggregate(last=Max("version"))["last"]
        row = Protocol(clinic_id=protocol.clinic_id, code=protocol.code, version=last + 1, **_plan(values))
        return _write(row, by=by, source=source)


def _plan(values: dict) -> dict:
    return {name: list(value) if isinstance(value := values[name], tuple) else value for name in PLAN_NAMES}


def _write(row: Protocol, *, by: str, source: str) -> Protocol:
    refuse_contradictions(row.definition)
    try:
        return write_new(row, by=by, source=source)
    except IntegrityError as error:
        raise ValidationError(
            "A colleague made this version in the same moment. Look at it first."
        ) from error


def refuse_contradictions(definition: ProtocolDefinition) -> None:
    """Refuse a protocol whose fields cannot hold together.

    Raises:
        ValidationError: by field, each with a sentence.
    """
    found: dict[str, str] = {}
    for low, high in (
        ("interval_min_days", "interval_max_days"),
        ("follow_up_min_days", "follow_up_max_days"),
        ("min_age", "max_age"),
        ("min_lesions", "max_lesions"),
        ("usual_infusion_g", "max_infusion_g"),
        ("usual_infusion_min", "max_infusion_min"),
        ("max_volume_ml_per_lesion", "max_volume_ml_per_session"),
    ):
        least, most = getattr(definition, low), getattr(definition, high)
        if least is not None and most is not None and least > most:
            found[high] = f"This must not be less than {show_decimal(least)}."
    has_days = definition.follow_up_min_days is not None or definition.follow_up_max_days is not None
    if has_days and not definition.follow_up_from:
        found["follow_up_from"] = "Say from which treatment the days of the follow-up count."
    if definition.follow_up_from and not has_days:
        found["follow_up_min_days"] = "Say how many days after that treatment the follow-up is."
    if definition.needs_approval_above_usual and definition.usual_concentration_mg_ml is None:
        found["usual_concentration_mg_ml"] = "Say above which concentration an approval is needed."
    if definition.infusions_tolerated_before_increase is not None and definition.usual_infusion_g is None:
        found["usual_infusion_g"] = "Say above which dose the infusions before must have been tolerated."
    if definition.min_pain_vas is not None and not definition.needs_pain_or_dysfunction:
        found["needs_pain_or_dysfunction"] = "A lowest pain is only asked for together with this."
    if definition.is_controlled and definition.route != "injection":
        found["is_controlled"] = "Two arms are two lesions of one patient: only injections can be controlled."
    if definition.uses_observer_pga and not definition.uses_pga:
        found["uses_pga"] = "The observer scores the same scale as the physician: choose both."
    if found:
        raise ValidationError(found)


@dataclass(frozen=True)
class Line:
    """One field of a protocol, in words."""

    name: str
    label: str
    value: str
    unit: str
    alerts: tuple[str, ...]
    """The codes of the alerts that read it."""


SECTIONS: dict[str, tuple[str, ...]] = {
    "Plan": (
        "name", "source", "route", "is_controlled", "planned_treatments", "interval_words",
        "interval_min_days", "interval_max_days", "follow_up_from", "follow_up_min_days", "follow_up_max_days",
    ),
    "Injection": (
        "usual_concentration_mg_ml", "needs_approval_above_usual", "volume_words", "volume_ml_per_cm2",
        "max_volume_ml_per_lesion", "max_volume_ml_per_session", "max_dose_mg_per_session",
    ),
    "Infusion": (
        "usual_infusion_g", "usual_infusion_min", "max_infusion_g", "max_infusion_min",
        "infusions_tolerated_before_increase",
    ),
    "Scores": ("uses_ptga_phga", "uses_pga", "uses_observer_pga", "asks_injection_pain", "ptga_worse_by"),
    "Side effects": ("expected_terms",),
    "Criteria": (
        "min_age", "max_age", "excludes_hypersensitivity", "excludes_pregnancy", "excludes_breast_feeding",
        "min_lesions", "max_lesions", "min_lesion_mm", "needs_pain_or_dysfunction", "min_pain_vas", "subtypes",
        "other_criteria",
    ),
}  # fmt: skip
"""The fields of a protocol in the order of its page and of its form."""

WORDS: dict[str, tuple[str, str]] = {
    "name": ("Name", ""),
    "source": ("Source", ""),
    "route": ("Route", ""),
    "is_controlled": ("Controlled: one lesion gets the agent, another saline, blinded", ""),
    "planned_treatments": ("Planned treatments", ""),
    "interval_words": ("Interval", ""),
    "interval_min_days": ("Next treatment from", "days"),
    "interval_max_days": ("Next treatment until", "days"),
    "follow_up_from": ("Follow-up counts from the", ""),
    "follow_up_min_days": ("Follow-up from", "days"),
    "follow_up_max_days": ("Follow-up until", "days"),
    "usual_concentration_mg_ml": ("Usual concentration", "mg/ml"),
    "needs_approval_above_usual": ("A higher concentration needs an individual approval", ""),
    "volume_words": ("Volume", ""),
    "volume_ml_per_cm2": ("Volume by area", "ml/cm²"),
    "max_volume_ml_per_lesion": ("Highest volume of a lesion", "ml"),
    "max_volume_ml_per_session": ("Highest volume of a round (one region at one visit)", "ml"),
    "max_dose_mg_per_session": ("Highest dose of a session", "mg"),
    "usual_infusion_g": ("Usual infusion", "g"),
    "usual_infusion_min": ("Usual duration", "min"),
    "max_infusion_g": ("Highest infusion", "g"),
    "max_infusion_min": ("Duration of the highest infusion", "min"),
    "infusions_tolerated_before_increase": ("Infusions tolerated in a row before more is given", ""),
    "uses_ptga_phga": ("PtGA and PhGA, 1-10", ""),
    "uses_pga": ("PGA of each lesion, 0-4", ""),
    "uses_observer_pga": ("Independent observer's PGA, 0-4", ""),
    "asks_injection_pain": ("Asks for the pain of the injection, VAS 0-10", ""),
    "ptga_worse_by": ("Point out a PtGA that is worse by", "points"),
    "expected_terms": ("Expected side effects", ""),
    "min_age": ("Lowest age", "years"),
    "max_age": ("Highest age", "years"),
    "excludes_hypersensitivity": ("Known hypersensitivity to sodium thiosulfate excludes", ""),
    "excludes_pregnancy": ("Pregnancy excludes", ""),
    "excludes_breast_feeding": ("Breast-feeding excludes", ""),
    "min_lesions": ("Lowest number of lesions", ""),
    "max_lesions": ("Highest number of lesions", ""),
    "min_lesion_mm": ("Smallest lesion", "mm"),
    "needs_pain_or_dysfunction": ("Needs a lesion with pain or dysfunction", ""),
    "min_pain_vas": ("Lowest average pain, VAS 0-10", ""),
    "subtypes": ("Subtypes of calcinosis", ""),
    "other_criteria": ("What a person judges", ""),
}
"""Label and unit of each field."""

READ_BY: dict[str, tuple[str, ...]] = {
    "min_age": ("too_young", "birth_year_not_recorded"),
    "excludes_breast_feeding": ("breast_feeding", "breast_feeding_not_recorded"),
    "usual_concentration_mg_ml": ("concentration_needs_approval",),
    "needs_approval_above_usual": ("concentration_needs_approval",),
    "max_volume_ml_per_lesion": ("above_maximum",),
    "max_volume_ml_per_session": ("above_maximum",),
    "max_dose_mg_per_session": ("above_maximum",),
    "max_infusion_g": ("above_maximum",),
    "usual_infusion_g": ("not_yet_tolerated",),
    "infusions_tolerated_before_increase": ("not_yet_tolerated",),
    "interval_min_days": ("too_early",),
    "interval_max_days": ("too_late",),
    "follow_up_from": ("too_early", "too_late", "missing_follow_up"),
    "follow_up_min_days": ("too_early",),
    "follow_up_max_days": ("too_late", "missing_follow_up"),
    "planned_treatments": ("more_than_planned",),
    "ptga_worse_by": ("ptga_worse",),
}
"""Which alerts read which field of the protocol."""

READ_TOGETHER = frozenset({"concentration_needs_approval", "not_yet_tolerated"})
"""The alerts that speak only where the protocol gives all of the fields that they read."""


def sections_of(definition: ProtocolDefinition) -> dict[str, list[Line]]:
    """Every field of a protocol in words and units, by section; the list of side effects is the one that counts."""
    values = asdict(definition) | {"expected_terms": expected_terms(definition)}
    return {title: [_line(name, values[name]) for name in names] for title, names in SECTIONS.items()}


def _line(name: str, value) -> Line:
    label, unit = WORDS[name]
    return Line(name, label, in_words(name, value), "" if value is None else unit, READ_BY.get(name, ()))


def in_words(name: str, value) -> str:
    """A field's value as people read it; what the protocol does not give is said to be so."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if name == "route":
        return ROUTE[value]
    if name == "follow_up_from":
        return FOLLOW_UP_FROM[value] if value else "None given"
    if name == "expected_terms":
        return ", ".join(SIDE_EFFECT_TERM[term] for term in value)
    if name == "subtypes":
        return ", ".join(SUBTYPE[code] for code in value) or "Any"
    if name == "other_criteria":
        return " ".join(value) or "Nothing further"
    if value is None or value == "":
        return "None given"
    return value if isinstance(value, str) else show_decimal(value)


def alerts_reading(definition: ProtocolDefinition) -> list[dict]:
    """The alerts that can speak under this protocol through its own fields.

    Each with its code, meaning, source, and the labels of the fields that it reads.
    """
    given = {name for name, value in asdict(definition).items() if value not in (None, False, "")}
    found = []
    for entry in ALERTS:
        reads = [name for name, codes in READ_BY.items() if entry.code in codes]
        there = [WORDS[name][0] for name in reads if name in given]
        if there and (entry.code not in READ_TOGETHER or len(there) == len(reads)):
            found.append(
                {
                    "code": entry.code,
                    "meaning": entry.meaning,
                    "source": entry.source,
                    "reads": ", ".join(there),
                }
            )
    return found
