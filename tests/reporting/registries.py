"""Invented registries as data sheets, odd ones included. For tests.

The size and the mood of a registry come from hypothesis, so that a failing one shrinks; the
details come from a seeded generator, so that they are likely where they need to be.
"""

import calendar
import datetime
import random
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.reporting.sheets import PLANS, SHEETS

ONE_DAY = datetime.timedelta(days=1)
BEGINNINGS = ("2023-01-31", "2023-10-31", "2023-12-31", "2024-01-30", "2024-01-31", "2024-05-15")
MEASURES = ("1", "2", "2.5", "3", "4")


@dataclass(frozen=True)
class Mood:
    """What a registry is like. `unknown` is how often a fact is missing; `flat` keeps scores and sizes equal.

    `protocol` is that of every series; empty: each has its own.
    """

    seed: int
    patients: int
    max_series: int
    unknown: float
    flat: bool
    protocol: str


moods = st.builds(
    Mood,
    seed=st.integers(0, 2**32 - 1),
    patients=st.integers(0, 6),
    max_series=st.integers(0, 4),
    unknown=st.sampled_from((0.0, 0.05, 0.3, 0.8)),
    flat=st.sampled_from((False, False, False, True)),
    protocol=st.sampled_from(("", "", "", "placebo3")),
)

selections = st.fixed_dictionaries(
    {},
    optional={
        "clinics": st.just(("north",)),
        "protocols": st.sampled_from((("weekly4",), ("placebo3",), ("longterm", "single"))),
        "diagnoses": st.sampled_from((("lcssc",), ("dm", "overlap"))),
        "first_from": st.just(datetime.date(2024, 1, 1)),
        "first_to": st.just(datetime.date(2024, 2, 29)),
    },
)


def make_sheets(mood):
    """A registry of this mood as {sheet: [row of text]}."""
    return _Maker(mood).sheets


def month_after(day):
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return datetime.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


class _Maker:
    def __init__(self, mood):
        self.mood = mood
        self.random = random.Random(mood.seed)
        self.sheets = {sheet: [] for sheet in SHEETS}
        for number in range(mood.patients):
            self.patient(f"P{number}")

    def add(self, sheet, **row):
        self.sheets[sheet].append({key: str(value) for key, value in row.items()})

    def chance(self, probability):
        return self.random.random() < probability

    def maybe(self, value):
        return "" if self.chance(self.mood.unknown) else value

    def patient(self, patient_id):
        choose = self.random.choice
        self.add(
            "patients",
            patient_id=patient_id,
            clinic=choose(("north", "north", "south")),
            sex=choose(("female", "female", "male", "unknown")),
            diagnosis=choose(("lcssc", "lcssc", "dm", "overlap")),
        )
        lesions = [f"L{number}" for number in range(1, self.random.randint(1, 6))]
        for lesion_id in lesions:
            self.add("lesions", patient_id=patient_id, lesion_id=lesion_id, body_site="elbow")
        numbers = list(range(1, self.random.randint(0, self.mood.max_series) + 1))
        if self.chance(0.2):
            self.random.shuffle(numbers)
        fresh = list(lesions)
        day = datetime.date.fromisoformat(choose(BEGINNINGS))
        for series_no in numbers:
            few = self.random.randint(1, 2)
            treated = (
                fresh[:few]
                if fresh and self.chance(0.8)
                else self.random.sample(lesions, min(few, len(lesions)))
            )
            if self.chance(0.05):
                treated = []
            fresh = [lesion_id for lesion_id in fresh if lesion_id not in treated]
            last_treatment = self.series(patient_id, str(series_no), treated, day)
            day = choose(
                (
                    month_after(last_treatment),
                    month_after(last_treatment) - ONE_DAY,
                    last_treatment + 60 * ONE_DAY,
                )
            )
        for _ in range(choose((0, 0, 1, 3))):
            series_no = choose(("", *map(str, numbers)))
            self.add(
                "side_effects",
                patient_id=patient_id,
                series_no=series_no,
                session_no="",
                term=choose(("nausea", "injection_site_pain", "skin_blistering")),
                grade=1,
                onset_on=day,
            )

    def series(self, patient_id, series_no, lesions, day):
        """One series from `day` on; the day of its last treatment is returned."""
        protocol = self.mood.protocol or self.random.choice(("weekly4", "weekly4", *PLANS))
        planned, has_arms = PLANS[protocol]
        status = self.random.choices(("completed", "stopped", "active", "planned"), (12, 5, 1, 1))[0]
        reasons = ("complete_remission", "sufficient_partial_remission", "side_effects")
        self.add(
            "series",
            patient_id=patient_id,
            series_no=series_no,
            protocol=protocol,
            started_on=day,
            status=status,
            stop_reason=self.random.choices(reasons, (3, 2, 1))[0] if status == "stopped" else "",
        )
        arms = (
            self.random.choice((("active", "control"), ("control", "active"), ("active", "")))
            if has_arms
            else ("", "")
        )
        for lesion_id, arm in zip(lesions, arms, strict=False):
            self.add(
                "series_lesions", patient_id=patient_id, series_no=series_no, lesion_id=lesion_id, arm=arm
            )

        count = max(0, (planned or 2) + self.random.choices((-2, -1, 0, 1), (1, 2, 12, 1))[0])
        if status in ("planned", "active") and self.chance(0.5):
            count = 0
        kinds = ["treatment"] * count
        if self.chance(0.7):
            kinds.append(self.random.choice(("follow_up", "assessment")))
        if self.chance(0.15):
            kinds.insert(0, "assessment")
        last_treatment = day
        for session_no, kind in enumerate(kinds, start=1):
            if session_no > 1:
                day += self.random.choice((0, 0, 7, 7, 14, 30)) * ONE_DAY
            if kind == "treatment":
                last_treatment = day
            self.session(patient_id, series_no, str(session_no), kind, day, lesions)
        return last_treatment

    def session(self, patient_id, series_no, session_no, kind, day, lesions):
        key = {"patient_id": patient_id, "series_no": series_no, "session_no": session_no}
        surely_scored = self.chance(0.7)

        def score(highest):
            value = 5 if self.mood.flat else self.random.randint(1, highest)
            return value if surely_scored else self.maybe(value)

        highest = max(3, 10 - 2 * int(session_no))
        self.add("sessions", **key, kind=kind, held_on=day, ptga=score(highest), phga=score(highest))
        for lesion_id in lesions:
            if self.chance(0.9):
                self.assessment(key, lesion_id)
            if kind == "treatment" and self.chance(0.8):
                self.add(
                    "injections",
                    **key,
                    lesion_id=lesion_id,
                    agent="sts",
                    concentration_mg_ml=150,
                    volume_ml="0.1",
                    pain_vas=self.maybe(self.random.choice(("0", "2.5", "7"))),
                )

    def assessment(self, key, lesion_id):
        gone = self.chance(0.03 if self.mood.flat else 0.2)
        measure = (lambda: "2") if self.mood.flat else (lambda: self.random.choice(MEASURES))
        self.add(
            "session_lesions",
            **key,
            lesion_id=lesion_id,
            status="gone" if gone else "present",
            longest_mm="" if gone else self.maybe(measure()),
            widest_mm="" if gone else self.maybe(measure()),
            ulcer="" if gone else self.maybe(self.random.choice(("yes", "no", "no"))),
            pga=self.maybe(self.random.randint(0, 4)),
            observer_pga=self.maybe(self.random.randint(0, 4)),
        )
