"""The field that says where on the body map a lesion is: a list of the parts of the body, or any point of them."""

from functools import cache

from django import forms
from django.core.exceptions import ValidationError

from lesions.figures import FIGURES, Place

DERIVED = "At the middle of its body site"
"""What is shown of a lesion that nobody put on the map."""


def place_words(place: Place | None) -> str:
    """A place in words: "Right index finger, distal phalanx, palmar"."""
    if place is None:
        return DERIVED
    area = place.area
    return area.words if area else f"{FIGURES[place.figure].title}, beside the body"


def read_place(text: str) -> Place | None:
    """A place as a page sends it; None where it is none."""
    try:
        return Place.parse(text)
    except ValueError:
        return None


@cache
def _listed() -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    return tuple(
        (
            figure.title,
            tuple((str(Place(figure.code, *area.centre)), area.words) for area in figure.areas),
        )
        for figure in FIGURES.values()
    )


class PlaceSelect(forms.Select):
    """A list of all parts, and the very point where the lesion is now."""

    def optgroups(self, name, value, attrs=None):
        groups = super().optgroups(name, value, attrs)
        listed = {text for _title, parts in _listed() for text, _words in parts}
        for text in value:
            place = read_place(text)
            if place is not None and text not in listed:
                words = f"{place_words(place)}, where it was put"
                groups.append(
                    (None, [self.create_option(name, text, words, True, 0, attrs=attrs)], len(groups))
                )
        return groups


class PlaceField(forms.ChoiceField):
    """Gives a Place, or None."""

    widget = PlaceSelect

    def __init__(self, **options):
        super().__init__(choices=[("", DERIVED), *_listed()], **options)

    def to_python(self, value) -> Place | None:
        if value in self.empty_values:
            return None
        try:
            return Place.parse(str(value))
        except ValueError as error:
            raise ValidationError(str(error)) from error

    def valid_value(self, value) -> bool:
        """Any point of a drawing, in the list or not."""
        return True
