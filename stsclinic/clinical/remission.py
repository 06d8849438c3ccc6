"""Did this lesion go into remission during a series?

Complete: the lesion is gone. Partial: PtGA decreased and either an ulcer healed or the
lesion became smaller. What is not recorded stays unknown (three-valued logic: false and
unknown is false, true or unknown is true). Every answer carries its reasons in words.

Source: Olesen and Fage, Aarhus case series (report 000), "Methods"; the choices that the
paper leaves open are in FOOTNOTES.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import NamedTuple, Protocol, TypeVar

OUTCOME = {
    "complete": "Complete remission",
    "partial": "Partial remission",
    "none": "No remission",
    "not_evaluable": "Not evaluable",
}

HORIZON = {"end_of_treatment": "End of treatment", "follow_up": "Follow-up"}
"""`end_of_treatment` sees the treatment sessions only; `follow_up`, the headline, every session."""

FOOTNOTES = (
    "Complete remission: the lesion is gone at its last assessment; one that was gone and came back is "
    "judged on its last assessment.",
    "Partial remission: the last recorded PtGA after the first session is below that of the first session, "
    "and the lesion's ulcer healed or its longest × widest measure became smaller.",
    "A lesion's baseline is its first assessment as present, its end its last assessment. Without a "
    "baseline, without a later assessment, or where what is not recorded would decide, it is not evaluable.",
    "A series has the best outcome of its lesions, and a patient that of the analysed series: complete, "
    "else partial, else not evaluable if any is, else none.",
    "End of treatment counts the treatment sessions only; follow-up counts every session of the series.",
)


class HasStatus(Protocol):
    """Whether a lesion was present or gone at one session."""

    @property
    def status(self) -> str: ...


class Seen(HasStatus, Protocol):
    """What was seen of one lesion at one session. Measures in mm; None means not recorded."""

    @property
    def longest_mm(self) -> Decimal | None: ...
    @property
    def widest_mm(self) -> Decimal | None: ...
    @property
    def ulcer(self) -> bool | None: ...


AnySeen = TypeVar("AnySeen", bound=HasStatus)


class PtgaChange(NamedTuple):
    """PtGA (1-10) at the first session of a horizon, and the last one recorded after it."""

    first: int | None
    last: int | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """An outcome (a code of OUTCOME) and why. The words are made when they are asked for: most never are."""

    outcome: str
    explain: Callable[[], Sequence[str]]

    @property
    def words(self) -> str:
        return ", ".join(self.explain())


def both(a: bool | None, b: bool | None) -> bool | None:
    """Three-valued AND: one false decides, whatever the unknown."""
    if a is False or b is False:
        return False
    return None if a is None or b is None else True


def either(a: bool | None, b: bool | None) -> bool | None:
    """Three-valued OR: one true decides, whatever the unknown."""
    if a is True or b is True:
        return True
    return None if a is None or b is None else False


def ptga_change(ptga: Sequence[int | None]) -> PtgaChange:
    """The two PtGA that count, from those of a horizon's sessions in order."""
    if not ptga:
        return PtgaChange(None, None)
    return PtgaChange(ptga[0], next((score for score in reversed(ptga[1:]) if score is not None), None))


def ptga_decreased(ptga: PtgaChange) -> bool | None:
    if ptga.first is None or ptga.last is None:
        return None
    return ptga.last < ptga.first


def ulcer_healed(baseline: Seen, end: Seen) -> bool | None:
    """An ulcer at baseline and none at the end; nothing can heal where there was none."""
    if baseline.ulcer is False:
        return False
    if baseline.ulcer is None or end.ulcer is None:
        return None
    return not end.ulcer


def became_smaller(baseline: Seen, end: Seen) -> bool | None:
    """Longest × widest fell; unknown where a measure is missing."""
    before, after = longest_times_widest(baseline), longest_times_widest(end)
    return None if before is None or after is None else after < before


def baseline_and_end(assessments: Sequence[AnySeen]) -> tuple[AnySeen | None, AnySeen | None]:
    """The first assessment as present, and the last one if it came after that (else None)."""
    for position, seen in enumerate(assessments):
        if seen.status == "present":
            return seen, assessments[-1] if position + 1 < len(assessments) else None
    return None, None


def judge_ends(baseline: Seen | None, end: Seen | None, has_decreased: bool | None) -> str:
    """The outcome of one lesion (a code of OUTCOME), from baseline_and_end and ptga_decreased."""
    if baseline is None or end is None:
        return "not_evaluable"
    if end.status == "gone":
        return "complete"
    found = both(has_decreased, either(ulcer_healed(baseline, end), became_smaller(baseline, end)))
    return {True: "partial", False: "none", None: "not_evaluable"}[found]


def judge_lesion(assessments: Sequence[Seen], ptga: PtgaChange) -> Judgement:
    """The outcome of one lesion, from its assessments in a horizon, in the order of the sessions."""
    outcome = judge_ends(*baseline_and_end(assessments), ptga_decreased(ptga))
    return Judgement(outcome, partial(_explain_lesion, outcome, assessments, ptga))


def judge_group(outcomes: Iterable[str]) -> str:
    """The outcome of a series from its lesions', or of a patient from the analysed series'."""
    found = set(outcomes)
    for outcome in ("complete", "partial", "not_evaluable"):
        if outcome in found:
            return outcome
    return "none" if found else "not_evaluable"


def _explain_lesion(outcome: str, assessments: Sequence[Seen], ptga: PtgaChange) -> list[str]:
    baseline, end = baseline_and_end(assessments)
    if baseline is None:
        return ["never seen present" if assessments else "never assessed"]
    if end is None:
        return ["not assessed again after its baseline"]
    if outcome == "complete":
        return ["gone", f"{_size_words(baseline)} at baseline"]
    reasons = [_ptga_words(ptga), _change_words(baseline, end), _ulcer_words(baseline, end)]
    if any(seen.status == "gone" for seen in assessments[assessments.index(baseline) :]):
        reasons.append("gone in between, and came back")
    if outcome == "none" and ptga_decreased(ptga):
        reasons.append("score improved only")
    return [reason for reason in reasons if reason]


def longest_times_widest(seen: Seen) -> Decimal | None:
    """In mm²; None where a measure is missing."""
    if seen.longest_mm is None or seen.widest_mm is None:
        return None
    return seen.longest_mm * seen.widest_mm


def _mm(value: Decimal | None) -> str:
    return "?" if value is None else f"{Decimal(value).normalize():f}"


def _measures(seen: Seen) -> str:
    return f"{_mm(seen.longest_mm)} × {_mm(seen.widest_mm)}"


def _size_words(seen: Seen) -> str:
    return "not measured" if longest_times_widest(seen) is None else f"{_measures(seen)} mm"


def _ptga_words(ptga: PtgaChange) -> str:
    if ptga.first is None:
        return "PtGA not recorded at the first session"
    if ptga.last is None:
        return "PtGA not recorded after the first session"
    return f"PtGA {ptga.first} → {ptga.last}"


def _change_words(baseline: Seen, end: Seen) -> str:
    missing = [
        when
        for when, seen in (("at baseline", baseline), ("at the end", end))
        if longest_times_widest(seen) is None
    ]
    if missing:
        return f"size not measured {' or '.join(missing)}"
    return f"{_measures(baseline)} → {_measures(end)} mm"


def _ulcer_words(baseline: Seen, end: Seen) -> str:
    if baseline.ulcer is None:
        return "ulcer not recorded at baseline"
    if baseline.ulcer is False:
        return "new ulcer" if end.ulcer else ""
    if end.ulcer is None:
        return "ulcer not recorded at the end"
    return "ulcer not healed" if end.ulcer else "ulcer healed"
