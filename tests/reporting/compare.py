"""Are two reports the same? For tests."""

import math


def assert_same(ours, theirs, where="report"):
    """Equal in keys, order and kind; numbers to 1e-9."""
    if isinstance(theirs, dict):
        assert isinstance(ours, dict), where
        assert set(ours) == set(theirs), where
        for key in theirs:
            assert_same(ours[key], theirs[key], f"{where}.{key}")
    elif isinstance(theirs, list):
        assert isinstance(ours, list), where
        assert len(ours) == len(theirs), where
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            assert_same(one, other, f"{where}[{number}]")
    elif isinstance(ours, float) and theirs is not None:
        assert math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-9), f"{where}: {ours} != {theirs}"
    else:
        assert ours == theirs, f"{where}: {ours} != {theirs}"
