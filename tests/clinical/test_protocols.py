"""The five shipped protocols, as domain.md and the reports give them."""

from decimal import Decimal

import pytest

from stsclinic.clinical.protocols import SHIPPED
from stsclinic.clinical.scales import scales_of
from stsclinic.clinical.terms import SUBTYPE

BY_CODE = {protocol.code: protocol for protocol in SHIPPED}


def test_five_are_shipped_once_each():
    assert list(BY_CODE) == ["weekly4", "placebo3", "biweekly", "longterm", "iv"]
    assert len(SHIPPED) == 5


@pytest.mark.parametrize(
    ("code", "planned", "interval", "follow_up"),
    [
        ("weekly4", 4, (6, 31), ("last_treatment", 84, 112)),
        ("placebo3", 3, (28, 35), ("first_treatment", 84, 98)),
        ("biweekly", 4, (12, 21), ("", None, None)),
        ("longterm", None, (42, 92), ("", None, None)),
        ("iv", None, (1, 8), ("last_treatment", 84, 98)),
    ],
)
def test_windows(code, planned, interval, follow_up):
    protocol = BY_CODE[code]
    assert protocol.planned_treatments == planned
    assert (protocol.interval_min_days, protocol.interval_max_days) == interval
    assert (protocol.follow_up_from, protocol.follow_up_min_days, protocol.follow_up_max_days) == follow_up


@pytest.mark.parametrize(
    ("code", "concentration", "per_cm2", "per_lesion", "per_session", "mg"),
    [
        ("weekly4", "150", None, None, None, None),
        ("placebo3", "40", "0.1", "0.4", None, "16"),
        ("biweekly", "250", None, None, "5", None),
        ("longterm", "250", None, "1", None, None),
        ("iv", None, None, None, None, None),
    ],
)
def test_doses(code, concentration, per_cm2, per_lesion, per_session, mg):
    protocol = BY_CODE[code]
    expected = tuple(
        None if text is None else Decimal(text)
        for text in (concentration, per_cm2, per_lesion, per_session, mg)
    )
    assert (
        protocol.usual_concentration_mg_ml,
        protocol.volume_ml_per_cm2,
        protocol.max_volume_ml_per_lesion,
        protocol.max_volume_ml_per_session,
        protocol.max_dose_mg_per_session,
    ) == expected
    assert protocol.needs_approval_above_usual == (code == "weekly4")
    assert protocol.is_controlled == (code == "placebo3")


def test_infusions():
    protocol = BY_CODE["iv"]
    assert protocol.route == "infusion"
    assert (protocol.usual_infusion_g, protocol.usual_infusion_min) == (Decimal("12.5"), 30)
    assert (protocol.max_infusion_g, protocol.max_infusion_min) == (25, 60)
    assert protocol.infusions_tolerated_before_increase == 3
    assert {other.route for other in SHIPPED if other is not protocol} == {"injection"}


def test_scores():
    assert [scale.code for scale in scales_of(BY_CODE["placebo3"])] == ["pga", "observer_pga", "pain_vas"]
    for code in ("weekly4", "biweekly", "longterm", "iv"):
        assert [scale.code for scale in scales_of(BY_CODE[code])] == ["ptga", "phga"]


def test_criteria():
    assert [(p.code, p.min_age, p.max_age) for p in SHIPPED if p.min_age or p.max_age] == [
        ("weekly4", 18, None),
        ("placebo3", 18, 80),
    ]
    assert all(p.excludes_hypersensitivity and p.excludes_pregnancy for p in SHIPPED)
    assert [p.code for p in SHIPPED if p.excludes_breast_feeding] == ["placebo3"]
    weekly4, placebo3 = BY_CODE["weekly4"], BY_CODE["placebo3"]
    assert (weekly4.needs_pain_or_dysfunction, weekly4.min_pain_vas, weekly4.min_lesions) == (True, 4, 1)
    assert (placebo3.min_lesions, placebo3.min_lesion_mm) == (2, 2)
    assert placebo3.subtypes == ("idiopathic", "dystrophic")
    assert set(placebo3.subtypes) <= set(SUBTYPE)
    assert len(weekly4.other_criteria) == 1
    assert len(placebo3.other_criteria) == 3


@pytest.mark.parametrize("protocol", SHIPPED, ids=lambda protocol: protocol.code)
def test_every_protocol_names_its_source_and_orders_its_windows(protocol):
    assert protocol.source[:3] in {"000", "001", "002", "003", "004"}
    assert protocol.interval_min_days <= protocol.interval_max_days
    assert bool(protocol.follow_up_from) == (protocol.follow_up_min_days is not None)
