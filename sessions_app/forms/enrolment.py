"""The forms of a decision about a patient: eligible and consented, or not; withdrawn."""

import datetime

from django import forms

from lesions.forms.base import RecordForm
from lesions.forms.fields import CodeChoiceField, DayField, NotesField, ReasonField
from lesions.models import Patient
from sessions_app.enrolment import OUTCOME, outcome_of
from sessions_app.models import Protocol


class DecideForm(RecordForm):
    """The judged criteria of one protocol, and what the offer came to."""

    sections = (("Decision", ("outcome", "consented_on")),)

    outcome = forms.ChoiceField(choices=list(OUTCOME.items()), widget=forms.RadioSelect)
    consented_on = DayField(label="Consented on", required=False)

    def __init__(self, *args, record: Patient, protocol: Protocol, **options):
        self.protocol = protocol
        super().__init__(*args, record=record, **options)
        recorded = record.criteria_met.get(protocol.code, {})
        for number, sentence in enumerate(protocol.other_criteria, start=1):
            self.fields[f"answer_{number}"] = forms.ChoiceField(
                label=sentence,
                choices=[("yes", "Yes"), ("no", "No")],
                widget=forms.RadioSelect,
                required=False,
                initial={True: "yes", False: "no"}.get(recorded.get(sentence)),
            )

    def initial_of(self, record: Patient) -> dict:
        return {"outcome": outcome_of(record), "consented_on": record.consented_on}

    def again(self, data, record):
        return type(self)(data, record=record, protocol=self.protocol, today=self.today)

    def answers(self) -> dict[str, bool]:
        """What was judged, by criterion; what was not answered is left out."""
        typed = {
            sentence: self.cleaned_data[f"answer_{number}"]
            for number, sentence in enumerate(self.protocol.other_criteria, start=1)
        }
        return {sentence: answer == "yes" for sentence, answer in typed.items() if answer}

    def clean(self):
        # The date box stands beside every outcome; a date counts only with a consent.
        if self.cleaned_data.get("outcome") != "consented":
            self.cleaned_data["consented_on"] = None
        return self.cleaned_data


class WithdrawForm(RecordForm):
    """When the patient withdrew, and why, if a reason was given."""

    sections = (("Withdrawal", ("withdrawn_on", "withdrawal_reason")),)
    wide = ("withdrawal_reason", "stop_series")

    withdrawn_on = DayField(label="Withdrew on")
    withdrawal_reason = NotesField(
        label="Reason", max_length=500, required=False, help_text="A patient may withdraw without a reason."
    )

    def __init__(self, *args, record: Patient, open_series: int, today: datetime.date, **options):
        options.setdefault("initial", {} if record.withdrawn_on else {"withdrawn_on": today})
        super().__init__(*args, record=record, today=today, **options)
        self.open_series = open_series
        # The reason of the withdrawal is the reason that history keeps.
        del self.fields["reason"]
        if open_series:
            words = "the open series" if open_series == 1 else f"the {open_series} open series"
            self.fields["stop_series"] = forms.BooleanField(
                label=f"Stop {words} too, by the patient's choice", required=False, initial=True
            )
            self.sections = (*self.sections, ("Series", ("stop_series",)))

    def initial_of(self, record):
        return {"withdrawn_on": record.withdrawn_on, "withdrawal_reason": record.withdrawal_reason}

    def again(self, data, record):
        return type(self)(data, record=record, open_series=self.open_series, today=self.today)


class UndoWithdrawalForm(forms.Form):
    """Why a withdrawal is taken back."""

    version = forms.IntegerField(min_value=1, max_value=10**9, widget=forms.HiddenInput)
    undo_reason = ReasonField(label="Why is the withdrawal taken back?")


class ProtocolChoice(forms.Form):
    """Which protocol's criteria are shown."""

    protocol = CodeChoiceField({}, required=True)

    def __init__(self, *args, protocols: list[Protocol], **options):
        super().__init__(*args, **options)
        self.fields["protocol"].choices = [
            (protocol.code, f"{protocol.name} ({protocol.code}, version {protocol.version})")
            for protocol in protocols
        ]
