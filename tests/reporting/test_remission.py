"""Remission of a lesion: a table of courses, and every combination of what is known and what is not."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stsclinic.clinical.remission import both, either, judge_group, judge_lesion, ptga_change
from stsclinic.reporting.records import AssessmentRecord

ULCER = {"ulcer": True, "healed": False, "no": False, "?": None}


def scores(text):
    """`7 5 - 4`: PtGA at each session, a dash where none was recorded."""
    return [None if one == "-" else int(one) for one in text.split()]


def course(text):
    """`12x8 ulcer | gone | 6x5`: what was seen at each session. `-x8`: not measured. `?`: ulcer not recorded."""
    return [seen(one.strip()) for one in text.split("|")] if text else []


def seen(text):
    if text == "gone":
        return AssessmentRecord("gone")
    size, _, ulcer = text.partition(" ")
    longest, widest = (None if one == "-" else Decimal(one) for one in size.split("x"))
    return AssessmentRecord("present", longest, widest, ULCER[ulcer or "no"])


@pytest.mark.parametrize(
    ("ptga", "lesion", "outcome", "words"),
    [
        # The lesion is gone
        ("7 4", "12x8 | gone", "complete", "gone, 12 × 8 mm at baseline"),
        ("4 9", "12x8 | gone", "complete", "gone, 12 × 8 mm at baseline"),
        ("- -", "-x8 ? | gone", "complete", "gone, not measured at baseline"),
        ("7 4", "gone | 12x8 | gone", "complete", "gone, 12 × 8 mm at baseline"),
        # It was gone, and came back
        (
            "7 6 4",
            "12x8 | gone | 6x5",
            "partial",
            "PtGA 7 → 4, 12 × 8 → 6 × 5 mm, gone in between, and came back",
        ),
        (
            "7 6 7",
            "12x8 | gone | 6x5",
            "none",
            "PtGA 7 → 7, 12 × 8 → 6 × 5 mm, gone in between, and came back",
        ),
        # Nothing to compare
        ("7 4", "", "not_evaluable", "never assessed"),
        ("7 4", "gone | gone", "not_evaluable", "never seen present"),
        ("7 4", "12x8", "not_evaluable", "not assessed again after its baseline"),
        ("7 4", "gone | 12x8", "not_evaluable", "not assessed again after its baseline"),
        # Smaller: the product decides, and equal is not smaller
        ("7 4", "12x8 | 6x5", "partial", "PtGA 7 → 4, 12 × 8 → 6 × 5 mm"),
        ("7 4", "12x8 | 12x7.9", "partial", "PtGA 7 → 4, 12 × 8 → 12 × 7.9 mm"),
        ("7 4", "12x8 | 16x6", "none", "PtGA 7 → 4, 12 × 8 → 16 × 6 mm, score improved only"),
        ("7 4", "10x10 | 20x20", "none", "PtGA 7 → 4, 10 × 10 → 20 × 20 mm, score improved only"),
        ("7 4", "12x8 | 2x2 | 12x8", "none", "PtGA 7 → 4, 12 × 8 → 12 × 8 mm, score improved only"),
        # PtGA: equal is no decrease; the last recorded one counts; the first session's must be there
        ("7 7", "12x8 | 6x5", "none", "PtGA 7 → 7, 12 × 8 → 6 × 5 mm"),
        ("7 8", "12x8 | 6x5", "none", "PtGA 7 → 8, 12 × 8 → 6 × 5 mm"),
        ("7 6", "12x8 | 6x5", "partial", "PtGA 7 → 6, 12 × 8 → 6 × 5 mm"),
        ("7 5 -", "12x8 | 6x5", "partial", "PtGA 7 → 5, 12 × 8 → 6 × 5 mm"),
        ("7 5 9", "12x8 | 6x5", "none", "PtGA 7 → 9, 12 × 8 → 6 × 5 mm"),
        ("- 7 4", "12x8 | 6x5", "not_evaluable", "PtGA not recorded at the first session, 12 × 8 → 6 × 5 mm"),
        (
            "7 -",
            "12x8 | 6x5",
            "not_evaluable",
            "PtGA not recorded after the first session, 12 × 8 → 6 × 5 mm",
        ),
        ("- 7", "12x8 | 12x8", "none", "PtGA not recorded at the first session, 12 × 8 → 12 × 8 mm"),
        # Ulcers
        ("7 4", "12x8 ulcer | 12x8", "partial", "PtGA 7 → 4, 12 × 8 → 12 × 8 mm, ulcer healed"),
        (
            "7 4",
            "12x8 ulcer | 12x8 ulcer",
            "none",
            "PtGA 7 → 4, 12 × 8 → 12 × 8 mm, ulcer not healed, score improved only",
        ),
        (
            "7 4",
            "12x8 | 12x8 ulcer",
            "none",
            "PtGA 7 → 4, 12 × 8 → 12 × 8 mm, new ulcer, score improved only",
        ),
        ("7 4", "12x8 | 12x8 ?", "none", "PtGA 7 → 4, 12 × 8 → 12 × 8 mm, score improved only"),
        (
            "7 4",
            "12x8 ulcer | 12x8 ?",
            "not_evaluable",
            "PtGA 7 → 4, 12 × 8 → 12 × 8 mm, ulcer not recorded at the end",
        ),
        (
            "7 4",
            "12x8 ? | 12x8 ulcer",
            "not_evaluable",
            "PtGA 7 → 4, 12 × 8 → 12 × 8 mm, ulcer not recorded at baseline",
        ),
        ("7 4", "12x8 ? | 6x5 ?", "partial", "PtGA 7 → 4, 12 × 8 → 6 × 5 mm, ulcer not recorded at baseline"),
        # Not measured
        ("7 4", "-x8 | 6x5", "not_evaluable", "PtGA 7 → 4, size not measured at baseline"),
        ("7 4", "12x8 | 6x-", "not_evaluable", "PtGA 7 → 4, size not measured at the end"),
        ("7 4", "-x- | -x-", "not_evaluable", "PtGA 7 → 4, size not measured at baseline or at the end"),
        ("7 4", "-x8 ulcer | 6x5", "partial", "PtGA 7 → 4, size not measured at baseline, ulcer healed"),
        ("7 7", "-x8 | 6x-", "none", "PtGA 7 → 7, size not measured at baseline or at the end"),
    ],
)
def test_courses(ptga, lesion, outcome, words):
    judgement = judge_lesion(course(lesion), ptga_change(scores(ptga)))
    assert (judgement.outcome, judgement.words) == (outcome, words)


DECREASED = {"yes": "7 4", "no": "7 7", "?": "- 4"}
HEALED = {"yes": ("ulcer", "healed"), "no": ("no", "no"), "?": ("ulcer", "?")}
SMALLER = {"yes": ("3x3", "2x3"), "no": ("3x3", "3x3"), "?": ("3x3", "3x-")}


@pytest.mark.parametrize(
    ("decreased", "healed", "smaller", "outcome"),
    [
        ("yes", "yes", "yes", "partial"),
        ("yes", "yes", "no", "partial"),
        ("yes", "yes", "?", "partial"),
        ("yes", "no", "yes", "partial"),
        ("yes", "no", "no", "none"),
        ("yes", "no", "?", "not_evaluable"),
        ("yes", "?", "yes", "partial"),
        ("yes", "?", "no", "not_evaluable"),
        ("yes", "?", "?", "not_evaluable"),
        ("no", "yes", "yes", "none"),
        ("no", "yes", "no", "none"),
        ("no", "yes", "?", "none"),
        ("no", "no", "yes", "none"),
        ("no", "no", "no", "none"),
        ("no", "no", "?", "none"),
        ("no", "?", "yes", "none"),
        ("no", "?", "no", "none"),
        ("no", "?", "?", "none"),
        ("?", "yes", "yes", "not_evaluable"),
        ("?", "yes", "no", "not_evaluable"),
        ("?", "yes", "?", "not_evaluable"),
        ("?", "no", "yes", "not_evaluable"),
        ("?", "no", "no", "none"),
        ("?", "no", "?", "not_evaluable"),
        ("?", "?", "yes", "not_evaluable"),
        ("?", "?", "no", "not_evaluable"),
        ("?", "?", "?", "not_evaluable"),
    ],
)
def test_what_is_unknown_stays_unknown(decreased, healed, smaller, outcome):
    ulcers, sizes = HEALED[healed], SMALLER[smaller]
    lesion = " | ".join(f"{size} {ulcer}" for size, ulcer in zip(sizes, ulcers, strict=True))
    assert judge_lesion(course(lesion), ptga_change(scores(DECREASED[decreased]))).outcome == outcome


@pytest.mark.parametrize(
    ("outcomes", "group"),
    [
        (("none", "not_evaluable", "partial", "complete"), "complete"),
        (("none", "not_evaluable", "partial"), "partial"),
        (("none", "not_evaluable"), "not_evaluable"),
        (("none", "none"), "none"),
        ((), "not_evaluable"),
    ],
)
def test_a_group_has_the_best_outcome(outcomes, group):
    assert judge_group(outcomes) == group


known = st.sampled_from((True, False, None))


@given(known, known)
def test_three_valued_logic_keeps_de_morgans_law(a, b):
    def negate(value):
        return None if value is None else not value

    assert both(a, b) == negate(either(negate(a), negate(b)))
    assert both(a, b) == both(b, a)
