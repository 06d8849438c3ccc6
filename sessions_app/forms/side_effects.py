"""The form of a side effect: where it belongs, what it was, whether it is serious, how it went on."""

from dataclasses import replace

from django import forms
from django.db.models import Q

from lesions.forms.base import RecordForm, Shown
from lesions.forms.fields import CodeChoiceField, DayField, LineField, NumberField, YesNoField
from lesions.models import Lesion, Patient
from sessions_app.models import Series, SideEffect, TreatmentSession
from sessions_app.side_effects import EXPECTED, GRADE_WORDS, problems
from stsclinic.clinical import terms
from stsclinic.clinical.dates import show_date

NO_SERIES = ("", "No series: before, between or after")


def _terms() -> list:
    """The terms, with those to ask for first and when they are to be expected."""
    often = [
        (code, f"{terms.SIDE_EFFECT_TERM[code]} ({when})" if when else terms.SIDE_EFFECT_TERM[code])
        for code, when in EXPECTED.items()
    ]
    others = [(code, label) for code, label in terms.SIDE_EFFECT_TERM.items() if code not in EXPECTED]
    return [("Known after an injection", often), ("Others", others)]


def belongs_to(series_pk: int | None, session_pk: int | None) -> str:
    """The choice that stands for a session, for a series without one, or for neither."""
    if session_pk is not None:
        return f"session-{session_pk}"
    return "" if series_pk is None else f"series-{series_pk}"


def _session_words(session: TreatmentSession) -> str:
    number = f"Session {session.session_no}" if session.session_no else "Struck-out session"
    return f"{number} ({session.get_kind_display().lower()})"


def is_key(text: str) -> bool:
    """Whether the text is a row's number, and short enough to be read as one."""
    return text.isascii() and text.isdecimal() and len(text) <= 18


class SideEffectForm(RecordForm):
    """One side effect. A new one may be of several lesions at once: `lesions`; a recorded one has `lesion`."""

    sections = (
        ("What", ("term", "term_detail", "grade", "ctcae_version")),
        ("When", ("belongs_to", "onset_on", "resolved_on", "lasted_minutes")),
        ("Where", ("lesions", "lesion")),
        ("Seriousness", ("serious", "sponsor_told_on")),
        ("Course", ("causality", "action", "outcome")),
    )
    units = {"lasted_minutes": "min"}
    wide = ("grade", "lesions")

    term = CodeChoiceField(_terms(), label="Side effect")
    term_detail = LineField(
        label="In words", max_length=200, required=False, help_text="Needed where the side effect is Other."
    )
    grade = forms.TypedChoiceField(
        coerce=int,
        choices=[(code, f"{code} {words}") for code, words in GRADE_WORDS.items()],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a grade from 1 to 5."},
    )
    ctcae_version = LineField(label="CTCAE version", max_length=10, required=False)
    belongs_to = forms.ChoiceField(label="After which session", required=False)
    onset_on = DayField(label="Onset")
    resolved_on = DayField(label="End", required=False, help_text="Empty: it is still there.")
    lasted_minutes = NumberField(
        SideEffect._meta.get_field("lasted_minutes"),
        label="Lasted",
        required=False,
        help_text="Only for what was over within the day.",
    )
    lesions = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None: it concerns the whole patient. Several: each gets an entry of its own.",
    )
    lesion = forms.ChoiceField(required=False)
    serious = YesNoField(label="Serious?", help_text="Asked of grade 3 or more, and of every necrosis.")
    sponsor_told_on = DayField(label="Sponsor told on", required=False)
    causality = CodeChoiceField(terms.CAUSALITY, label="Caused by the treatment", required=False)
    action = CodeChoiceField(terms.ACTION, label="What was done", required=False)
    outcome = CodeChoiceField(terms.SIDE_EFFECT_OUTCOME, required=False)

    def __init__(self, *args, patient: Patient, **options):
        super().__init__(*args, **options)
        self.patient = patient
        record = self.record
        # What the record names stays a choice, even if it was struck out since.
        kept_lesion = Q(struck_out_at=None) | Q(pk=record.lesion_id if record else None)
        kept_series = Q(struck_out_at=None) | Q(pk=record.series_id if record else None)
        kept_session = Q(struck_out_at=None) | Q(pk=record.session_id if record else None)
        self.lesion_rows = {
            str(row.pk): row for row in Lesion.everything.filter(kept_lesion, patient=patient)
        }
        self.series_rows = {
            f"series-{row.pk}": row
            for row in Series.everything.filter(kept_series, patient=patient).select_related("protocol")
        }
        self.session_rows = {
            f"session-{row.pk}": row
            for row in TreatmentSession.everything.filter(
                kept_session, series__in=[row.pk for row in self.series_rows.values()]
            ).order_by("-held_on", "-session_no")
        }
        listed = [(key, f"{row.lesion_id} {row.site_words}") for key, row in self.lesion_rows.items()]
        self.fields["belongs_to"].choices = [NO_SERIES, *self._visits()]
        if record is None:
            del self.fields["lesion"]
            self.fields["lesions"].choices = listed
        else:
            del self.fields["lesions"]
            self.fields["lesion"].choices = [("", "None: the whole patient"), *listed]

    def _visits(self) -> list:
        """The sessions of each series, the latest first, under its name."""
        found = []
        for key, series in sorted(self.series_rows.items(), key=lambda entry: -entry[1].series_no):
            visits = [
                (code, f"{_session_words(session)}, {show_date(session.held_on)}")
                for code, session in self.session_rows.items()
                if session.series_id == series.pk
            ]
            title = f"Series {series.series_no}, {series.protocol.name}"
            found.append((title, [*visits, (key, f"Series {series.series_no}, none of its sessions")]))
        return found

    def again(self, data, record):
        return type(self)(data, record=record, today=self.today, patient=self.patient)

    def initial_of(self, record: SideEffect) -> dict:
        own = {"belongs_to", "lesions", "lesion"}
        names = [name for _title, names in self.sections for name in names if name not in own]
        return {name: getattr(record, name) for name in names} | {
            "belongs_to": belongs_to(record.series_id, record.session_id),
            "lesion": str(record.lesion_id or ""),
        }

    def names_unknown_rows(self) -> bool:
        """Whether what was sent names a row that is none of this patient's, struck out or not."""
        sent = [*self.data.getlist("lesions"), *self.data.getlist("lesion")]
        lesions = {int(key) for key in sent if key not in self.lesion_rows and is_key(key)}
        wanted: dict[str, set[int]] = {"series": set(), "session": set()}
        for text in self.data.getlist("belongs_to"):
            kind, _hyphen, key = text.partition("-")
            is_known = text in self.series_rows or text in self.session_rows
            if kind in wanted and not is_known and is_key(key):
                wanted[kind].add(int(key))
        checks = (
            (lesions, Lesion, "patient"),
            (wanted["series"], Series, "patient"),
            (wanted["session"], TreatmentSession, "series__patient"),
        )
        return any(
            keys - set(model.everything.filter(**{path: self.patient}).values_list("pk", flat=True))
            for keys, model, path in checks
            if keys
        )

    def clean(self):
        values = self.cleaned_data
        needed = {
            "term",
            "grade",
            "onset_on",
            "resolved_on",
            "lasted_minutes",
            "belongs_to",
            "sponsor_told_on",
        }
        if needed <= values.keys():
            found = problems(self.values(), birth_year=self.patient.birth_year, today=self.today)
            for name, sentence in found.items():
                self.add_error(name, sentence)
        return values

    def shown(self, name: str) -> Shown:
        shown = super().shown(name)
        return replace(shown, span="span-2") if name in ("term", "belongs_to") else shown

    def values(self) -> dict:
        own = {"belongs_to", "lesions", "lesion"}
        values = {name: self.cleaned_data.get(name) for name in self.written if name not in own}
        for name in ("term_detail", "ctcae_version", "causality", "action", "outcome"):
            values[name] = values[name] or ""
        code = self.cleaned_data["belongs_to"]
        session = self.session_rows.get(code)
        series = self.series_rows.get(belongs_to(session.series_id, None) if session else code)
        values |= {"session": session, "series": series}
        if self.record is not None:
            values["lesion"] = self.lesion_rows.get(self.cleaned_data.get("lesion", ""))
        return values

    def chosen_lesions(self) -> list[Lesion]:
        """The lesions of a new side effect. Only after is_valid()."""
        return [self.lesion_rows[key] for key in self.cleaned_data["lesions"]]

    def words(self, name: str, value) -> str:
        if name == "belongs_to":
            session, series = self.session_rows.get(value), self.series_rows.get(value)
            if session:
                return f"{session.series}, {_session_words(session)}"
            return str(series or NO_SERIES[1])
        if name == "term":
            return terms.SIDE_EFFECT_TERM.get(value, value)
        return super().words(name, value)
