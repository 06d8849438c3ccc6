"""The forms of a side effect: what it was, its grade by plain questions, whether it is serious, how it goes on."""

import datetime
from dataclasses import replace

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.html import format_html

from lesions.forms.base import RecordForm, Shown
from lesions.forms.fields import (
    EARLIEST_DAY,
    LATEST_DAY,
    CodeChoiceField,
    DayField,
    LineField,
    NumberField,
    YesNoField,
)
from lesions.models import Lesion, Patient
from sessions_app.models import Series, SideEffect, TreatmentSession
from sessions_app.side_effects import GRADE_WORDS, HOW, problems
from stsclinic.clinical import terms
from stsclinic.clinical.dates import show_date
from stsclinic.clinical.grading import VERSIONS, Grade, Question, grade_of, questions_of
from stsclinic.clinical.seriousness import CRITERION_OF, SERIOUS_CRITERIA, asks_again, asks_seriousness
from stsclinic.clinics.models import Clinic

NO_SERIES = ("", "No series: before, between or after")
DAYS_OFFERED = 7
MOST_DAYS = 60
"""Days after a session, or after the onset, that can be said in days; later ones by their date."""

ANSWER = "answer_"
"""What the field of a plain question is called, before the question's key."""

ANSWERS = [("yes", "Yes"), ("no", "No")]


class MomentField(forms.Field):
    """A date and time as the clinic's clock shows it."""

    def __init__(self, clinic: Clinic, **options):
        self.zone = clinic.zone
        widget = forms.DateTimeInput(
            format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local", "class": "w-date"}
        )
        super().__init__(widget=widget, **options)

    def to_python(self, value) -> datetime.datetime | None:
        text = str(value or "").strip()
        if not text:
            return None
        try:
            moment = datetime.datetime.fromisoformat(text)
        except ValueError as error:
            raise ValidationError("Enter a date and time, such as 2026-11-20T14:05.") from error
        if len(text) < len("2026-11-20T14:05") or not EARLIEST_DAY <= moment.date() <= LATEST_DAY:
            raise ValidationError("Enter a date and time, such as 2026-11-20T14:05.")
        return moment.replace(tzinfo=self.zone)

    def prepare_value(self, value):
        return value.astimezone(self.zone).strftime("%Y-%m-%dT%H:%M") if hasattr(value, "tzinfo") else value


class TimeField(forms.TimeField):
    """Hours and minutes."""

    def __init__(self, **options):
        widget = forms.TimeInput(format="%H:%M", attrs={"type": "time", "class": "w-num-6"})
        options.setdefault("error_messages", {"invalid": "Enter a time, such as 14:05."})
        super().__init__(widget=widget, input_formats=["%H:%M", "%H:%M:%S"], **options)


WHOLE_PATIENT = "whole"
"""The choice beside the lesions: it is of none of them."""

NOT_SAID = "not said"
"""None of the choices of WhenField: no button is pressed yet."""


class WhenField(forms.TypedChoiceField):
    """So many days after something, as one tap. None: by the date beside it."""

    def __init__(self, first: list, zero: str, **options):
        super().__init__(required=False, coerce=int, empty_value=None, widget=forms.RadioSelect, **options)
        self.first, self.zero = first, zero
        self.offer(DAYS_OFFERED)

    def offer(self, most: int, *extra: int) -> None:
        """Show the days up to `most` and some more."""
        days = sorted({*range(min(most, DAYS_OFFERED) + 1), *(day for day in extra if 0 <= day <= MOST_DAYS)})
        self.choices = [*self.first, *((str(day), self._words(day)) for day in days), ("", "On the date")]

    def _words(self, day: int) -> str:
        """The number alone is shown; it is heard as `2 days later`."""
        if day == 0:
            return self.zero
        return format_html('{}<span class="visually-hidden"> day{} later</span>', day, "s" if day > 1 else "")

    def prepare_value(self, value):
        return NOT_SAID if value is None else value


def is_key(text: str) -> bool:
    """Whether the text is a row's number, and short enough to be read as one."""
    return text.isascii() and text.isdecimal() and len(text) <= 18


def belongs_to(series_pk: int | None, session_pk: int | None) -> str:
    """The choice that stands for a session, for a series without one, or for neither."""
    if session_pk is not None:
        return f"session-{session_pk}"
    return "" if series_pk is None else f"series-{series_pk}"


def _session_words(session: TreatmentSession) -> str:
    number = f"Session {session.session_no}" if session.session_no else "Struck-out session"
    return f"{number} ({session.get_kind_display().lower()})"


def grade_choices() -> list[tuple]:
    """The grades that a person may choose, with what they mean."""
    return [("", "As the answers say"), *((code, f"{code} {words}") for code, words in GRADE_WORDS.items())]


def version_field() -> forms.ChoiceField:
    """The edition of CTCAE that is kept beside the grade."""
    return forms.ChoiceField(
        label="CTCAE version",
        choices=[(code, f"v{code}") for code in VERSIONS],
        required=False,
        help_text="The questions are the same for both; the version is kept beside the grade.",
    )


class GradedForm:
    """The part of a form that finds the grade of one term by plain questions."""

    term_code: str
    questions: tuple[Question, ...] = ()

    def ask(self, term: str, version: str, told: dict) -> None:
        """Add the questions of a term, the mildest first. `told` are the answers that are recorded."""
        self.term_code = term if term in terms.SIDE_EFFECT_TERM else ""
        version = version if version in VERSIONS else VERSIONS[0]
        if not self.term_code:
            return
        self.questions = tuple(reversed(questions_of(term, version)))
        for question in self.questions:
            self.fields[ANSWER + question.key] = forms.ChoiceField(
                label=question.text,
                choices=ANSWERS,
                required=False,
                initial=told.get(question.key, ""),
                widget=forms.RadioSelect(
                    attrs={"data-grade": question.grade, "data-criterion": CRITERION_OF.get(question.key, "")}
                ),
            )

    def answers(self) -> dict[str, str]:
        """What was answered. "No to the rest" answers what was left open."""
        rest = "no" if self.data.get("no_to_rest") else ""
        found = {
            question.key: self.cleaned_data.get(ANSWER + question.key) or rest for question in self.questions
        }
        return {key: answer for key, answer in found.items() if answer}

    def clean_grading(self) -> Grade | None:
        """Put the grade that holds into the cleaned data, or say beside it what is missing."""
        values = self.cleaned_data
        unread = any(ANSWER + question.key in self.errors for question in self.questions)
        if not self.term_code or unread or values.get("ctcae_version") not in VERSIONS:
            return None
        return grade_of(self.term_code, self.answers(), values["ctcae_version"])

    def asked(self) -> list[forms.BoundField]:
        """The questions as fields of the page."""
        return [self[ANSWER + question.key] for question in self.questions]


class SideEffectForm(GradedForm, RecordForm):
    """One side effect. A new one may be of several lesions at once: `lesions`; a recorded one has `lesion`."""

    record: SideEffect | None

    sections = (
        ("What", ("term", "term_detail")),
        ("Grade", ("grade", "grade_reason", "ctcae_version")),
        ("When", ("belongs_to", "onset_on", "resolved_on", "lasted_minutes")),
        ("Where", ("lesions", "lesion")),
        ("Serious?", ("serious", "seriousness_criteria", "serious_known_at")),
        ("Sponsor", ("sponsor_told_on", "sponsor_told_time", "sponsor_told_who")),
        ("Course", ("action", "outcome", "causality", "meddra_code")),
    )
    units = {"lasted_minutes": "min"}
    wide = ("lesions", "seriousness_criteria")

    term = CodeChoiceField(terms.SIDE_EFFECT_TERM, label="Side effect")
    term_detail = LineField(
        label="In words", max_length=200, required=False, help_text="Needed where the side effect is Other."
    )
    grade = forms.TypedChoiceField(
        label="Another grade",
        coerce=int,
        empty_value=None,
        required=False,
        choices=grade_choices,
    )
    grade_reason = LineField(label="Why another grade", max_length=500, required=False)
    ctcae_version = version_field()
    belongs_to = forms.ChoiceField(label="After which session", required=False)
    onset_when = WhenField([], "The same day", label="Began, days after the session")
    onset_on = DayField(label="Onset", required=False)
    end_when = WhenField([("still", "Still there")], "The same day", label="Ended, days after it began")
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
        help_text="Several: each gets an entry of its own.",
    )
    lesion = forms.ChoiceField(required=False)
    serious = YesNoField(label="Serious?", help_text="Asked of grade 3 or more, and of every necrosis.")
    seriousness_criteria = forms.MultipleChoiceField(
        label="What makes it serious (ICH E2A)",
        choices=list(SERIOUS_CRITERIA.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="One is enough.",
    )
    sponsor_told_on = DayField(label="Sponsor told on", required=False)
    sponsor_told_time = TimeField(label="Sponsor told at", required=False)
    sponsor_told_who = LineField(label="Who was told", max_length=200, required=False)
    causality = CodeChoiceField(terms.CAUSALITY, label="Caused by the treatment", required=False)
    action = CodeChoiceField(terms.ACTION, label="What was done", required=False)
    outcome = CodeChoiceField(terms.SIDE_EFFECT_OUTCOME, required=False)
    meddra_code = LineField(
        label="MedDRA code", max_length=20, required=False, help_text="Your site's own; none is shipped."
    )
    asked_today = forms.BooleanField(label="The patient told of it when asked today", required=False)

    def __init__(
        self,
        *args,
        patient: Patient,
        term: str = "",
        last: TreatmentSession | None = None,
        began: int | None = None,
        **options,
    ):
        """A new one is of `term` and `began` so many days after `last`, the session that days count from at first."""
        super().__init__(*args, **options)
        self.patient, self.last = patient, last
        record = self.record
        self.fields["serious_known_at"] = MomentField(
            patient.clinic,
            label="The clinic knew since",
            required=False,
            help_text="The 24 hours to tell the sponsor count from here. Empty, of a new one: from now.",
        )
        self._choose_rows()
        version = self.data.get("ctcae_version") or (record.ctcae_version if record else "") or VERSIONS[0]
        if record is not None and record.ctcae_version not in VERSIONS:
            kept = record.ctcae_version
            words = f"v{kept}" if kept else "Not recorded"
            self.fields["ctcae_version"].choices = [(kept, words), *self.fields["ctcae_version"].choices]
        code = str(self.data.get("term") or term or (record.term if record else ""))
        self.ask(code, version, record.grade_answers if record else {})
        if record is None:
            self._days(last, began)
        else:
            for name in ("onset_when", "end_when", "asked_today"):
                del self.fields[name]
            self.fields["serious_at_grade"] = forms.IntegerField(required=False, widget=forms.HiddenInput)
            self.fields["onset_on"].required = True
            self.initial.update({ANSWER + key: answer for key, answer in record.grade_answers.items()})
            if self._answered_by(record) == record.grade:
                self.initial["grade"] = None

    def _answered_by(self, record: SideEffect) -> int | None:
        if record.ctcae_version not in VERSIONS or not record.grade_answers:
            return None
        return grade_of(record.term, record.grade_answers, record.ctcae_version).grade

    def _choose_rows(self) -> None:
        """Fill the choices with the patient's sessions and lesions, those of the last session first."""
        record, patient = self.record, self.patient
        # What the record names stays a choice, even if it was struck out since.
        kept_lesion = Q(struck_out_at=None) | Q(pk=record.lesion_id if record else None)
        kept_series = Q(struck_out_at=None) | Q(pk=record.series_id if record else None)
        kept_session = Q(struck_out_at=None) | Q(pk=record.session_id if record else None)
        lesions = Lesion.everything.filter(kept_lesion, patient=patient)
        self.treated = set(self.last.injections.values_list("lesion_id", flat=True)) if self.last else set()
        self.lesion_rows = {
            str(row.pk): row for row in sorted(lesions, key=lambda row: row.pk not in self.treated)
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
            self.fields["lesions"].choices = [*listed, (WHOLE_PATIENT, "The whole patient")]
        else:
            del self.fields["lesions"]
            self.fields["lesion"].choices = [("", "None: the whole patient"), *listed]

    def _days(self, last: TreatmentSession | None, began: int | None) -> None:
        """Offer the days since the last session. Only one that was tapped is chosen: a day that nobody gave is no onset."""
        since = (self.today - last.held_on).days if last else None
        if began is not None and since is not None and began <= min(since, MOST_DAYS):
            self.initial["onset_when"] = began
        posted = [
            int(value)
            for name in ("onset_when", "end_when")
            if is_key(value := str(self.data.get(name, ""))) and len(value) <= 2
        ]
        tapped = [self.initial["onset_when"]] if "onset_when" in self.initial else []
        self.fields["onset_when"].offer(
            DAYS_OFFERED if since is None else since, since or 0, *tapped, *posted
        )
        self.fields["end_when"].offer(DAYS_OFFERED if since is None else since, *posted)
        self.fields["end_when"].coerce = lambda value: value if value == "still" else int(value)
        self.initial.setdefault("end_when", "still")

    @property
    def began_words(self) -> str:
        """`Began 2 days after the session, 25-Oct-2026`, of a day that was tapped on the page before; else empty."""
        days = self.initial.get("onset_when")
        if self.is_bound or self.last is None or not isinstance(days, int):
            return ""
        when = (
            f"{days} day{'s' if days > 1 else ''} after the session" if days else "on the day of the session"
        )
        return f"Began {when}, {show_date(self.last.held_on + datetime.timedelta(days=days))}"

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
        return (
            {name: getattr(record, name) for name in names}
            | {
                "belongs_to": belongs_to(record.series_id, record.session_id),
                "lesion": str(record.lesion_id or ""),
            }
            | {
                ANSWER + question.key: record.grade_answers.get(question.key, "")
                for question in self.questions
            }
        )

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
        if self.record is None:
            self._read_days()
        self._read_grade()
        self._read_seriousness()
        needed = {
            "term", "onset_on", "resolved_on", "lasted_minutes", "belongs_to", "sponsor_told_on",
            "sponsor_told_time", "serious_known_at", "ctcae_version", "seriousness_criteria", "grade_reason",
        }  # fmt: skip
        if needed <= values.keys() and values.get("onset_on") and values.get("grade"):
            found = problems(
                self.values(),
                birth_year=self.patient.birth_year,
                today=self.today,
                now=timezone.now().astimezone(self.patient.clinic.zone),
                record=self.record,
            )
            for name, sentence in found.items():
                self.add_error(name, sentence)
        return values

    def clean_lesions(self) -> list[str]:
        """Of what belongs to a place that was injected, the lesion is never left out unseen."""
        chosen = self.cleaned_data["lesions"]
        if WHOLE_PATIENT in chosen and len(chosen) > 1:
            raise ValidationError("Choose lesions, or the whole patient, not both.")
        if not chosen and self.treated and self.term_code in terms.SIDE_EFFECTS_OF_A_LESION:
            raise ValidationError("Choose the lesions, or the whole patient.")
        return chosen

    def _read_days(self) -> None:
        """Turn "2 days later" into a date; two answers that differ are refused, never guessed."""
        values = self.cleaned_data
        days, onset = values.get("onset_when"), values.get("onset_on")
        session = self.session_rows.get(values.get("belongs_to", ""))
        if isinstance(days, int):
            if session is None:
                self.add_error("onset_when", "Choose the session that the days count from, or give the date.")
                return
            counted = session.held_on + datetime.timedelta(days=days)
            if onset and onset != counted:
                self.add_error(
                    "onset_when", f"That is {show_date(counted)}, and the date says {show_date(onset)}."
                )
                return
            values["onset_on"] = onset = counted
        if not onset and not {"onset_on", "onset_when"} & self.errors.keys():
            self.add_error("onset_on", "Say when it began.")
        until, ended = values.get("end_when"), values.get("resolved_on")
        if until == "still" and ended:
            self.add_error("end_when", f"Is it still there, or did it end on {show_date(ended)}?")
        elif isinstance(until, int) and onset:
            counted = onset + datetime.timedelta(days=until)
            if ended and ended != counted:
                self.add_error(
                    "end_when", f"That is {show_date(counted)}, and the date says {show_date(ended)}."
                )
            else:
                values["resolved_on"] = counted

    def _read_seriousness(self) -> None:
        """A "no" that was said of a milder grade is asked for again: the choice comes back empty, once."""
        values, record = self.cleaned_data, self.record
        read_seriousness(values)
        grade = values.get("grade")
        if record is None or not grade or record.serious is not False or values.get("serious") is not False:
            return
        rose = asks_again(values.get("term", ""), grade_before=record.grade, grade=grade)
        if rose and values.get("serious_at_grade") != grade:
            self.data = self.data.copy()
            self.data["serious"], self.data["serious_at_grade"] = "", str(grade)
            self.add_error(
                "serious",
                f"It was not serious at grade {record.grade}, and the grade is {grade} now: say it again.",
            )

    def _read_grade(self) -> None:
        values = self.cleaned_data
        found = self.clean_grading()
        if found is not None and not values.get("grade"):
            values["grade"] = found.grade
        if values.get("grade") or "grade" in self.errors:
            return
        record = self.record
        if record is not None and found is not None and not self.answers():
            values["grade"] = record.grade
        elif found is not None:
            asked = " ".join(question.text for question in reversed(found.open))
            self.add_error("grade", f"Not answered yet: {asked} Answer these, or choose a grade.")

    @property
    def asks_seriousness(self) -> bool:
        """Whether the page opens with the question, because of the term or of what was answered."""
        grade = getattr(self, "cleaned_data", {}).get("grade") if self.is_bound else None
        grade = grade or (self.record.grade if self.record else None)
        return asks_seriousness(self.term_code, grade)

    def shown(self, name: str) -> Shown:
        shown = super().shown(name)
        return (
            replace(shown, span="span-2")
            if name in ("term", "belongs_to", "grade", "grade_reason")
            else shown
        )

    def values(self) -> dict:
        own = {"belongs_to", "lesions", "lesion"}
        values = {name: self.cleaned_data.get(name) for name in self.written if name not in own}
        for name in (
            "term_detail", "ctcae_version", "causality", "action", "outcome", "grade_reason", "meddra_code",
            "sponsor_told_who",
        ):  # fmt: skip
            values[name] = values[name] or ""
        values["grade_answers"] = self.answers()
        code = self.cleaned_data["belongs_to"]
        session = self.session_rows.get(code)
        series = self.series_rows.get(belongs_to(session.series_id, None) if session else code)
        values |= {"session": session, "series": series}
        if self.record is not None:
            values["lesion"] = self.lesion_rows.get(self.cleaned_data.get("lesion", ""))
        return values

    def chosen_lesions(self) -> list[Lesion]:
        """The lesions of a new side effect; none: the whole patient. Only after is_valid()."""
        return [self.lesion_rows[key] for key in self.cleaned_data["lesions"] if key != WHOLE_PATIENT]

    def words(self, name: str, value) -> str:
        if name == "belongs_to":
            session, series = self.session_rows.get(value), self.series_rows.get(value)
            if session:
                return f"{session.series}, {_session_words(session)}"
            return str(series or NO_SERIES[1])
        if name == "serious_known_at" and value is not None:
            moment = value.astimezone(self.patient.clinic.zone)
            return f"{show_date(moment.date())} {moment:%H:%M}"
        if name == "sponsor_told_time" and value is not None:
            return f"{value:%H:%M}"
        return super().words(name, value)


def read_seriousness(values: dict) -> None:
    """A criterion that is ticked says that it is serious, unless that was answered."""
    if values.get("seriousness_criteria") and values.get("serious") is None:
        values["serious"] = True


class ObservationForm(GradedForm, forms.Form):
    """How an open side effect is when it is asked about again."""

    how = forms.ChoiceField(label="How is it?", choices=list(HOW.items()), widget=forms.RadioSelect)
    seen_on = DayField(label="Asked on", required=False, help_text="Empty: today.")
    resolved_on = DayField(label="It ended on", required=False, help_text="Of what is over. Empty: that day.")
    outcome = CodeChoiceField(
        {code: terms.SIDE_EFFECT_OUTCOME[code] for code in ("recovered", "recovered_with_sequelae", "fatal")},
        label="Outcome of what is over",
        required=False,
    )
    grade = forms.TypedChoiceField(
        label="Another grade", coerce=int, empty_value=None, required=False, choices=grade_choices
    )
    grade_reason = LineField(label="Why another grade", max_length=500, required=False)
    ctcae_version = version_field()
    action = CodeChoiceField(terms.ACTION, label="What was done", required=False)
    note = LineField(label="Note", max_length=500, required=False)
    serious = YesNoField(label="Serious?", help_text="Asked of grade 3 or more, and of every necrosis.")
    seriousness_criteria = SideEffectForm.base_fields["seriousness_criteria"]
    version = forms.IntegerField(min_value=1, max_value=10**9, widget=forms.HiddenInput)

    def __init__(self, *args, effect: SideEffect, today: datetime.date, **options):
        super().__init__(*args, **options)
        self.effect, self.today = effect, today
        self.initial["version"] = effect.version
        if effect.serious is False:
            self.fields[
                "serious"
            ].help_text = f"Recorded as not serious at grade {effect.grade}. It is asked again where the grade rises to 3 or more."
        self.ask(effect.term, str(self.data.get("ctcae_version") or VERSIONS[0]), {})

    def clean(self):
        values = self.cleaned_data
        values["seen_on"] = values.get("seen_on") or self.today
        values["ctcae_version"] = values.get("ctcae_version") or VERSIONS[0]
        read_seriousness(values)
        found = self.clean_grading()
        if found is not None and not values.get("grade") and self.answers():
            values["grade"] = found.grade
            if found.grade is None:
                asked = " ".join(question.text for question in reversed(found.open))
                self.add_error("grade", f"Not answered yet: {asked} Answer these, or choose a grade.")
        if values.get("how") != "over" and (values.get("resolved_on") or values.get("outcome")):
            self.add_error("how", "An end and its outcome are of what is over.")
        return values

    def seen(self) -> dict:
        """What side_effects.observe takes. Only after is_valid()."""
        names = (
            "seen_on", "resolved_on", "outcome", "grade", "grade_reason", "ctcae_version", "action", "note",
            "serious", "seriousness_criteria",
        )  # fmt: skip
        return {name: self.cleaned_data[name] for name in names} | {"grade_answers": self.answers()}

    def refuse(self, error: ValidationError) -> None:
        """Put what a service refused beside its field, or above the form."""
        if not hasattr(error, "error_dict"):
            self.add_error(None, error)
            return
        for name, errors in error.error_dict.items():
            self.add_error(name if name in self.fields else None, errors)


class SponsorForm(forms.Form):
    """Who was told of a serious side effect, and when."""

    who = LineField(label="Who was told", max_length=200)
    told_on = DayField(label="Told on")
    told_time = TimeField(label="Told at", required=False)
    version = forms.IntegerField(min_value=1, max_value=10**9, widget=forms.HiddenInput)

    FIELD_OF = {"sponsor_told_on": "told_on", "sponsor_told_time": "told_time", "sponsor_told_who": "who"}

    def refuse(self, error: ValidationError) -> None:
        """Put what a service refused beside its field, or above the form."""
        if not hasattr(error, "error_dict"):
            self.add_error(None, error)
            return
        for name, errors in error.error_dict.items():
            self.add_error(self.FIELD_OF.get(name), errors)
