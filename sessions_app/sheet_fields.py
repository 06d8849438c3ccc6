"""Which fields does a session sheet have? By the kind of the visit, the protocol, and what may be shown."""

from dataclasses import dataclass
from functools import cached_property

from sessions_app.entries import lesion_field, vial_field
from sessions_app.models import Protocol
from stsclinic.clinical.protocols import ProtocolDefinition

AGENT_FIELDS = ("agent", "concentration_mg_ml")
"""What betrays the arm while an allocation is hidden, with the next."""
BETRAYING_FIELDS = (*AGENT_FIELDS, "salt_form", "lot_number")
COMMON_FIELDS = (
    "agent",
    "concentration_mg_ml",
    "technique",
    "anaesthesia",
    "salt_form",
    "lot_number",
    "needle",
    "dressing",
)
"""Given once for the visit; a lesion's own value goes before."""

MOST_VIALS = 4
FIRST_LOT = (1, "lot_number")
"""Of the first vial the lot is no field of its own: it is the lot of all lesions."""


@dataclass(frozen=True, kw_only=True)
class SheetFields:
    """The fields of one sheet, for one reader."""

    kind: str
    definition: ProtocolDefinition | Protocol
    lesion_keys: tuple[int, ...]
    """The primary keys of the lesions, in their order."""
    shows_allocation: bool
    """Whether the reader may see agent, concentration, lot and salt form."""
    is_correction: bool

    def __contains__(self, name: str) -> bool:
        """Whether the sheet has a field of this name; no other name is made for it."""
        of_lesion, _, rest = name.partition("-")
        key, _, part = rest.partition("-")
        if of_lesion == "lesion":
            return part in self.lesion_fields and key in self._lesion_texts
        return name in self._before_lesions or name in self._after_lesions

    @cached_property
    def field_names(self) -> tuple[str, ...]:
        """Every field of the sheet, in the order of the visit."""
        of_lesions = [lesion_field(key, name) for key in self.lesion_keys for name in self.lesion_fields]
        return (*self._before_lesions, *of_lesions, *self._after_lesions)

    @cached_property
    def lesion_fields(self) -> tuple[str, ...]:
        """The fields of each lesion."""
        names = ["gone", "confirmed", "longest_mm", "widest_mm", "ulcer", "inflammation"]
        if self.definition.uses_pga:
            names.append("pga")
        if self.has_injections:
            names += ["volume_ml", "pain_vas", *self.common_fields]
        return tuple(names)

    @cached_property
    def common_fields(self) -> tuple[str, ...]:
        """The injection fields that are given once for the visit."""
        if not self.has_injections:
            return ()
        return tuple(name for name in COMMON_FIELDS if self.shows_allocation or name not in BETRAYING_FIELDS)

    @property
    def has_injections(self) -> bool:
        """Whether lesions are injected at this visit."""
        return self.kind == "treatment" and self.definition.route == "injection"

    @property
    def has_infusion(self) -> bool:
        """Whether an infusion is given at this visit."""
        return self.kind == "treatment" and self.definition.route == "infusion"

    @property
    def vials(self) -> tuple[int, ...]:
        """The places for vials; none where nothing is injected, or where a lot would betray the arm."""
        shown = self.has_injections and self.shows_allocation
        return tuple(range(1, MOST_VIALS + 1)) if shown else ()

    @cached_property
    def _lesion_texts(self) -> frozenset[str]:
        return frozenset(map(str, self.lesion_keys))

    @cached_property
    def _before_lesions(self) -> tuple[str, ...]:
        names = ["held_on", "performed_by"] + ([] if self.is_correction else ["asked"])
        if self.definition.uses_ptga_phga:
            names.append("ptga")
        names += [f"all-{name}" for name in self.common_fields]
        for vial_no in self.vials:
            names += [
                vial_field(vial_no, name)
                for name in ("lot_number", "drawn_ml")
                if (vial_no, name) != FIRST_LOT
            ]
        return tuple(names)

    @cached_property
    def _after_lesions(self) -> tuple[str, ...]:
        names = ["infusion-dose_g", "infusion-duration_min"] if self.has_infusion else []
        if self.definition.uses_ptga_phga:
            names.append("phga")
        return (*names, "note", *(() if self.is_correction else ("series_status", "stop_reason")))
