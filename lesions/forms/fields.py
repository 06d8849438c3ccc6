"""Form fields as the clinic types: numbers with comma or point, partial dates, yes, no or not recorded."""

import datetime
from collections.abc import Iterable
from decimal import Decimal

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator

from stsclinic.clinical.dates import EARLIEST_DAY, LATEST_DAY, DateError, PartialDate
from stsclinic.clinical.numbers import NumberError, parse_decimal, parse_whole, show_decimal
from stsclinic.fields import MeasureField, WholeNumberField

NOT_RECORDED = ("", "Not recorded")


class LineField(forms.CharField):
    """One line of text."""

    def __init__(self, *, max_length: int, **options):
        super().__init__(max_length=max_length, **options)


class NotesField(forms.CharField):
    """Some lines of text, with one kind of line end."""

    def __init__(self, *, max_length: int, **options):
        options.setdefault("widget", forms.Textarea(attrs={"rows": 2}))
        super().__init__(max_length=max_length, **options)

    def to_python(self, value):
        return super().to_python(value).replace("\r\n", "\n").replace("\r", "\n")


class ReasonField(NotesField):
    """Why something is changed, kept in the history."""

    def __init__(self, **options):
        options.setdefault("label", "Reason for the change")
        options.setdefault("help_text", "Kept in the history with the old and the new values.")
        super().__init__(max_length=500, **options)


class NumberField(forms.Field):
    """A number as text, read by stsclinic.clinical.numbers with the range of its model field.

    `digits` is the width of the box in digits: 3, 4, 6 or 8.
    """

    def __init__(self, model_field: MeasureField | WholeNumberField, *, digits: int = 4, **options):
        self.model_field = model_field
        widget = forms.TextInput(
            attrs={"inputmode": "decimal", "class": f"num w-num-{digits}", "autocomplete": "off"}
        )
        super().__init__(widget=widget, **options)

    def to_python(self, value) -> Decimal | int | None:
        text = str(value or "").strip()
        if not text:
            return None
        ProhibitNullCharactersValidator()(text)
        field = self.model_field
        try:
            if isinstance(field, WholeNumberField):
                return parse_whole(text, low=field.low, high=field.high)
            number = parse_decimal(text, places=field.places, low=field.low, high=field.high)
        except NumberError as error:
            raise ValidationError(str(error)) from error
        if field.above_low and number <= field.low:
            raise ValidationError(f"Enter a number above {show_decimal(field.low)}.")
        return number

    def prepare_value(self, value):
        return show_decimal(value) if isinstance(value, (int, Decimal)) else value


class PartialDateField(forms.CharField):
    """A year, a month or a day, kept as the data sheets hold it: `2018`, `2018-06` or `2018-06-14`."""

    def __init__(self, **options):
        options.setdefault("help_text", "A year, a month or a day: 2018, 2018-06 or 2018-06-14.")
        widget = forms.TextInput(attrs={"class": "w-date", "autocomplete": "off"})
        super().__init__(max_length=20, widget=widget, **options)

    def to_python(self, value) -> str:
        text = super().to_python(value)
        if not text:
            return ""
        try:
            read = PartialDate.parse(text)
        except DateError as error:
            raise ValidationError(str(error)) from error
        if not EARLIEST_DAY <= read.earliest <= LATEST_DAY:
            raise ValidationError(f"Enter a year from {EARLIEST_DAY.year} to {LATEST_DAY.year}.")
        return str(read)


class DayField(forms.DateField):
    """A whole date in the browser's own date box."""

    def __init__(self, **options):
        options.setdefault(
            "error_messages", {"invalid": "Enter a date as year-month-day, such as 2026-11-20."}
        )
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "w-date"})
        super().__init__(widget=widget, input_formats=["%Y-%m-%d"], **options)

    def to_python(self, value) -> datetime.date | None:
        day = super().to_python(value)
        if day is not None and not EARLIEST_DAY <= day <= LATEST_DAY:
            raise ValidationError(f"Enter a date in the years {EARLIEST_DAY.year} to {LATEST_DAY.year}.")
        return day


class CodeChoiceField(forms.ChoiceField):
    """One code of a vocabulary. Where it is optional, the empty choice says Not recorded."""

    def __init__(self, vocabulary: dict[str, str] | Iterable[tuple[str, str]], **options):
        entries = list(vocabulary.items() if isinstance(vocabulary, dict) else vocabulary)
        empty = ("", "Choose") if options.get("required", True) else NOT_RECORDED
        super().__init__(choices=[empty, *entries], **options)


class YesNoField(forms.TypedChoiceField):
    """Yes, no or not recorded: True, False or None."""

    def __init__(self, **options):
        super().__init__(
            choices=[NOT_RECORDED, ("yes", "Yes"), ("no", "No")],
            coerce=lambda value: value == "yes",
            empty_value=None,
            required=False,
            **options,
        )

    def prepare_value(self, value):
        return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
