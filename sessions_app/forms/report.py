"""What a report shows: its selection, and the date that it prints."""

from datetime import date

from sessions_app.forms.selection import SelectionForm, date_field


class ReportFilterForm(SelectionForm):
    """A selection, and the date to print."""

    stated = date_field("Date to print", "Empty prints today")

    SINGLES = (*SelectionForm.SINGLES, "stated")

    @property
    def stated_on(self) -> date | None:
        """The date to print, where one was chosen."""
        return self.cleaned_data["stated"]

    @property
    def is_chosen(self) -> bool:
        """Whether anything was chosen, valid or not."""
        return bool(self.query)

    @property
    def query(self) -> dict[str, list[str]]:
        """What was chosen, as the address holds it."""
        found = {name: [value for value in self.data.getlist(name) if value] for name in self.fields}
        return {name: values for name, values in found.items() if values}
