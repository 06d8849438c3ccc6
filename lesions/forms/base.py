"""What every form of a record shares: its sections, its values, refusals and conflicts."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models

from lesions.forms.fields import ReasonField
from stsclinic.clinical.dates import PartialDate, show_date
from stsclinic.clinical.numbers import show_decimal

NOTHING = "Not recorded"


@dataclass(frozen=True)
class Shown:
    """A field as a page shows it."""

    field: forms.BoundField
    unit: str
    optional: bool
    span: str


@dataclass(frozen=True)
class Difference:
    """A field on which two people differ, in words."""

    label: str
    typed: str
    recorded: str


class RecordForm(forms.Form):
    """A form of one record. Its fields bear the names of the record's columns.

    Sections are (title, names of fields); what is in none is shown with the buttons.
    """

    sections: tuple[tuple[str, tuple[str, ...]], ...] = ()
    units: dict[str, str] = {}
    wide: tuple[str, ...] = ()
    """Fields that take a whole line."""

    def __init__(self, *args, today: datetime.date, record: models.Model | None = None, **options):
        """`today` is the day in the clinic; `record` is what is changed, None for a new one."""
        if record is not None:
            options["initial"] = self.initial_of(record) | (options.get("initial") or {})
        super().__init__(*args, **options)
        self.record, self.today = record, today
        if record is not None:
            self.fields["reason"] = ReasonField(required=False)
            if hasattr(record, "version"):
                self.fields["version"] = forms.IntegerField(
                    min_value=1, max_value=10**9, widget=forms.HiddenInput, initial=record.version
                )

    @property
    def written(self) -> list[str]:
        """The names of the fields that are columns of the record."""
        return [name for _title, names in self.sections for name in names if name in self.fields]

    def initial_of(self, record: models.Model) -> dict:
        """What the record holds, by the form's names."""
        return {name: getattr(record, name) for _title, names in self.sections for name in names}

    def values(self) -> dict:
        """What is to be written. Only after is_valid()."""
        return {name: self.cleaned_data[name] for name in self.written}

    def shown_sections(self) -> Iterator[tuple[str, list[Shown]]]:
        """(title, fields) in the order of the page."""
        for title, names in self.sections:
            shown = [self.shown(name) for name in names if name in self.fields]
            if shown:
                yield title, shown

    def shown(self, name: str) -> Shown:
        """One field with its unit."""
        field = self.fields[name]
        optional = not field.required and not isinstance(field, forms.ChoiceField | forms.BooleanField)
        return Shown(self[name], self.units.get(name, ""), optional, "span-all" if name in self.wide else "")

    def refuse(self, error: ValidationError) -> None:
        """Put what a service refused beside its field, or above the form."""
        if not hasattr(error, "error_dict"):
            self.add_error(None, error)
            return
        for name, errors in error.error_dict.items():
            self.add_error(name if name in self.fields and name != NON_FIELD_ERRORS else None, errors)

    def newly_based_on(self, theirs: models.Model) -> tuple["RecordForm", list[Difference]]:
        """The same form on the row as it now is, and where what was typed differs from it."""
        differences = [
            Difference(str(self[name].label), self.words(name, typed), self.words(name, recorded))
            for name, recorded in self.initial_of(theirs).items()
            if name in self.fields and (typed := self.cleaned_data.get(name)) != recorded
        ]
        data = self.data.copy()
        for name, value in self.seen_of(theirs).items():
            data[name] = value
        return self.again(data, theirs), differences

    def seen_of(self, record: models.Model) -> dict:
        """The hidden field that says which state of the record was seen."""
        return {"version": record.version}

    def again(self, data, record: models.Model) -> "RecordForm":
        """A form of the same kind with the same choices."""
        return type(self)(data, record=record, today=self.today)

    def refuse_future(self, *names: str) -> None:
        """Refuse dates, whole or partial, that have not come yet."""
        for name in names:
            value = self.cleaned_data.get(name)
            if (
                value
                and (PartialDate.parse(value).earliest if isinstance(value, str) else value) > self.today
            ):
                self.add_error(name, "The date is in the future.")

    def words(self, name: str, value) -> str:
        """A value as people read it."""
        choices = dict(getattr(self.fields[name], "choices", ()))
        if isinstance(value, bool):
            return "Yes" if value else "No"
        if value in (None, "", []):
            return str(getattr(self.fields[name], "empty_label", None) or NOTHING)
        if isinstance(value, list):
            return ", ".join(str(choices.get(entry, entry)) for entry in value)
        if value in choices:
            return str(choices[value])
        if isinstance(value, datetime.date):
            return show_date(value)
        if isinstance(value, int | Decimal):
            return show_decimal(value)
        if name.endswith("_on"):
            return PartialDate.parse(value).show()
        return str(value)
