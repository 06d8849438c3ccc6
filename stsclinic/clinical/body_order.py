"""The order of places on the body: head to foot, and of two that are alike right before left."""

from stsclinic.clinical.terms import BODY_SITE

_FROM_THE_HEAD = {site: number for number, site in enumerate(BODY_SITE)}
"""The vocabulary of body sites goes from head to foot, along the arm to the fingers, and down to the toes."""

_SIDES = ("right", "midline", "left", "")


def body_order(body_site: str, laterality: str) -> tuple[int, int]:
    """A key that sorts places from head to foot, and at one site right, midline, left, side not recorded.

    Args:
        body_site, laterality: codes of terms.py; an empty laterality is not recorded.

    Raises:
        KeyError, ValueError: an unknown site or side.
    """
    return _FROM_THE_HEAD[body_site], _SIDES.index(laterality)
