"""Must it be asked whether a side effect is serious, and what makes it so?

Source: domain.md (grade 3 or more, or necrosis); ICH E2A for the criteria.
"""

ASKED_FROM_GRADE = 3

NECROSIS = frozenset({"skin_necrosis", "digital_necrosis"})

SERIOUS_CRITERIA = (
    "Death",
    "Life-threatening",
    "Hospitalisation, or a longer one",
    "Persistent or significant disability",
    "Congenital anomaly",
    "Medically important",
)
"""A side effect is serious if any of these is true (ICH E2A)."""


def asks_seriousness(term: str, grade: int | None) -> bool:
    """Whether it must be recorded if the side effect is serious, and when the sponsor was told."""
    return term in NECROSIS or (grade is not None and grade >= ASKED_FROM_GRADE)
