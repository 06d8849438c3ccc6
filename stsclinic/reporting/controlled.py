"""How do the arms of a controlled protocol compare? One lesion per arm and subject.

Source: Winter et al., blinded pilot study, Orlando (report 001), table III and "Results".
Sizes in cm² (longest × widest / 100; a gone lesion is 0), PGA 0-4, pain VAS 0-10. Sums and
differences are exact fractions; floats come last.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from stsclinic.clinical.terms import ARM
from stsclinic.reporting.records import AssessmentRecord, SessionRecord
from stsclinic.reporting.scores import paired_t
from stsclinic.reporting.selection import Course, Verdict

COMPARED = ("size_baseline", "size_end", "size_change_percent")
"""What the t-tests between the arms compare."""

FOOTNOTES = (
    "Baseline is a lesion's first assessment in the series, its end the last; a gone lesion has a size of "
    "0 cm². A lesion with fewer than two assessments is left out.",
    "Series that are incomplete do not count. The percentage change is not given where the size at baseline "
    "is 0. A missing value is left out of its mean and of its pair.",
    "Between arms: paired two-sided t-test, active minus control, over the subjects that have both. None is "
    "given with fewer than two pairs or without variance.",
    "Pain is the mean over all injections of the arm.",
)


@dataclass(frozen=True, slots=True)
class ControlledLesion:
    """One lesion of one arm. None means not recorded, or not to be computed."""

    patient_id: str
    series_no: int
    lesion_id: str
    arm: str
    size_baseline: Fraction | None
    size_end: Fraction | None
    pga_baseline: int | None
    pga_end: int | None
    observer_pga_baseline: int | None
    observer_pga_end: int | None
    pains: tuple[Fraction, ...]
    course: Course
    first: SessionRecord
    """The session of the baseline; `last` is that of the end."""
    last: SessionRecord

    @property
    def mean_pain(self) -> Fraction | None:
        """Over the injections of this lesion that have one."""
        return sum(self.pains, Fraction(0)) / len(self.pains) if self.pains else None

    @property
    def size_change(self) -> Fraction | None:
        """End minus baseline, cm²."""
        if self.size_baseline is None or self.size_end is None:
            return None
        return self.size_end - self.size_baseline

    @property
    def size_change_percent(self) -> Fraction | None:
        change = self.size_change
        return None if change is None or not self.size_baseline else change / self.size_baseline * 100

    @property
    def pga_change(self) -> int | None:
        return _difference(self.pga_baseline, self.pga_end)

    @property
    def observer_pga_change(self) -> int | None:
        return _difference(self.observer_pga_baseline, self.observer_pga_end)


@dataclass(frozen=True, slots=True)
class Controlled:
    """The arms side by side. `lesions` are sorted by patient_id, arm, series_no."""

    lesions: Sequence[ControlledLesion]
    arms: dict[str, dict[str, Any]]
    tests: dict[str, dict[str, Any] | None]

    def as_json(self) -> dict[str, Any]:
        subjects = [
            {
                "patient_id": lesion.patient_id,
                "arm": lesion.arm,
                "size_change_percent": as_float(lesion.size_change_percent),
                "pga_baseline": lesion.pga_baseline,
                "pga_end": lesion.pga_end,
                "observer_pga_baseline": lesion.observer_pga_baseline,
                "observer_pga_end": lesion.observer_pga_end,
            }
            for lesion in self.lesions
        ]
        return {"arms": self.arms, "subjects": subjects, "tests": self.tests}


def is_comparable(verdict: Verdict) -> bool:
    """Whether a series counts between the arms: controlled, open, with treatments, and not incomplete."""
    series = verdict.course.series
    left_out = verdict.reason in ("incomplete", "no_treatment")
    return series.is_controlled and not series.allocation_concealed and not left_out


def compare_arms(verdicts: Iterable[Verdict]) -> Controlled | None:
    """Compare the arms of the series that count and are not concealed; None without any."""
    courses = [verdict.course for verdict in verdicts if is_comparable(verdict)]
    if not courses:
        return None
    lesions = sorted(
        (lesion for course in courses for lesion in _lesions(course)),
        key=lambda lesion: (lesion.patient_id, lesion.arm, lesion.series_no, lesion.lesion_id),
    )
    return Controlled(
        lesions,
        {arm: _describe_arm([lesion for lesion in lesions if lesion.arm == arm]) for arm in ARM},
        {name: _test(lesions, name) for name in COMPARED},
    )


def as_float(value: Fraction | None) -> float | None:
    return None if value is None else float(value)


def _lesions(course: Course) -> Iterable[ControlledLesion]:
    for lesion_id, arm in course.series.lesions.items():
        seen_at = [session for session in course.sessions if lesion_id in session.assessments]
        if arm not in ARM or len(seen_at) < 2:
            continue
        first, last = (session.assessments[lesion_id] for session in (seen_at[0], seen_at[-1]))
        yield ControlledLesion(
            patient_id=course.patient.patient_id,
            series_no=course.series.series_no,
            lesion_id=lesion_id,
            arm=arm,
            size_baseline=size_cm2(first),
            size_end=size_cm2(last),
            pga_baseline=first.pga,
            pga_end=last.pga,
            observer_pga_baseline=first.observer_pga,
            observer_pga_end=last.observer_pga,
            pains=tuple(
                Fraction(injection.pain_vas)
                for session in course.sessions
                for injection in session.injections
                if injection.lesion_id == lesion_id and injection.pain_vas is not None
            ),
            course=course,
            first=seen_at[0],
            last=seen_at[-1],
        )


def size_cm2(seen: AssessmentRecord) -> Fraction | None:
    """Longest × widest; 0 cm² of a lesion that is gone."""
    if seen.status == "gone":
        return Fraction(0)
    if seen.longest_mm is None or seen.widest_mm is None:
        return None
    return Fraction(seen.longest_mm) * Fraction(seen.widest_mm) / 100


def _describe_arm(lesions: Sequence[ControlledLesion]) -> dict[str, Any]:
    return {
        "n": len(lesions),
        "size_cm2_baseline": _mean(lesion.size_baseline for lesion in lesions),
        "size_cm2_end": _mean(lesion.size_end for lesion in lesions),
        "pga_baseline": _mean(lesion.pga_baseline for lesion in lesions),
        "pga_end": _mean(lesion.pga_end for lesion in lesions),
        "observer_pga_baseline": _mean(lesion.observer_pga_baseline for lesion in lesions),
        "observer_pga_end": _mean(lesion.observer_pga_end for lesion in lesions),
        "size_change_percent": _mean(lesion.size_change_percent for lesion in lesions),
        "pain": _mean(pain for lesion in lesions for pain in lesion.pains),
    }


def _mean(values: Iterable[Fraction | int | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(Fraction(sum(known)) / len(known)) if known else None


def pairs_of(
    lesions: Sequence[ControlledLesion], name: str
) -> list[tuple[ControlledLesion, ControlledLesion, Fraction]]:
    """Each subject's active and control lesion with their difference, active minus control.

    Of an arm, the first lesion by lesion_id stands for it; a pair with a missing value is left out.
    """
    sides: dict[tuple[str, int], dict[str, ControlledLesion]] = {}
    for lesion in lesions:
        sides.setdefault((lesion.patient_id, lesion.series_no), {}).setdefault(lesion.arm, lesion)
    found = []
    for pair in sides.values():
        if "active" in pair and "control" in pair:
            active, control = getattr(pair["active"], name), getattr(pair["control"], name)
            if active is not None and control is not None:
                found.append((pair["active"], pair["control"], Fraction(active - control)))
    return found


def _test(lesions: Sequence[ControlledLesion], name: str) -> dict[str, Any] | None:
    differences = [difference for _, _, difference in pairs_of(lesions, name)]
    return paired_t([float(one) for one in differences]) if len(set(differences)) > 1 else None


def _difference(baseline: int | None, end: int | None) -> int | None:
    return None if baseline is None or end is None else end - baseline
