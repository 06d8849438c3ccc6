"""What was planned, done and seen: protocols, series, sessions and everything of a session."""

import uuid
from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from lesions.models import Lesion, Patient, kept
from stsclinic.audit.models import Audited, ClinicalRecord
from stsclinic.clinical import terms
from stsclinic.clinical.numbers import LARGEST_LESION_MM
from stsclinic.clinical.protocols import ProtocolDefinition
from stsclinic.clinical.ruler import Point, Scale, between_px
from stsclinic.clinics.models import Clinic, User, slug_code
from stsclinic.fields import CodeField, MeasureField, WholeNumberField

ROUTE = {"injection": "Injection into the lesion", "infusion": "Infusion into a vein"}
FOLLOW_UP_FROM = {"first_treatment": "first treatment", "last_treatment": "last treatment"}


def _days(**options):
    return WholeNumberField(low=0, high=3650, null=True, blank=True, **options)


def _ml(**options):
    return MeasureField(low=0, high=1000, places=3, null=True, blank=True, **options)


class Protocol(Audited):
    """One version of a protocol: the columns of ProtocolDefinition. A used version is never edited."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, null=True, blank=True, related_name="protocols")
    """The clinic that made it; empty for the shipped ones."""
    code = models.CharField(max_length=40, validators=[slug_code])
    version = WholeNumberField(low=1, high=9999, default=1)
    name = models.CharField(max_length=120)
    source = models.CharField(max_length=500, blank=True, default="")
    route = CodeField(ROUTE, default="injection")
    is_controlled = models.BooleanField(default=False)

    planned_treatments = WholeNumberField(low=1, high=1000, null=True, blank=True)
    interval_min_days = _days()
    interval_max_days = _days()
    interval_words = models.CharField(max_length=200, blank=True, default="")
    follow_up_from = CodeField(FOLLOW_UP_FROM, blank=True, default="")
    follow_up_min_days = _days()
    follow_up_max_days = _days()

    usual_concentration_mg_ml = MeasureField(low=0, high=1000, places=2, null=True, blank=True)
    needs_approval_above_usual = models.BooleanField(default=False)
    volume_words = models.CharField(max_length=200, blank=True, default="")
    volume_ml_per_cm2 = _ml()
    max_volume_ml_per_lesion = _ml()
    max_volume_ml_per_session = _ml()
    max_dose_mg_per_session = MeasureField(low=0, high=100_000, places=2, null=True, blank=True)
    usual_infusion_g = MeasureField(low=0, high=100, places=2, null=True, blank=True)
    usual_infusion_min = WholeNumberField(low=1, high=1440, null=True, blank=True)
    max_infusion_g = MeasureField(low=0, high=100, places=2, null=True, blank=True)
    max_infusion_min = WholeNumberField(low=1, high=1440, null=True, blank=True)
    infusions_tolerated_before_increase = WholeNumberField(low=0, high=100, null=True, blank=True)

    uses_ptga_phga = models.BooleanField(default=True)
    uses_pga = models.BooleanField(default=False)
    uses_observer_pga = models.BooleanField(default=False)
    asks_injection_pain = models.BooleanField(default=False)
    expected_terms = models.JSONField(default=list, blank=True)
    ptga_worse_by = WholeNumberField(low=1, high=9, null=True, blank=True, default=3)

    min_age = WholeNumberField(low=0, high=120, null=True, blank=True)
    max_age = WholeNumberField(low=0, high=120, null=True, blank=True)
    excludes_hypersensitivity = models.BooleanField(default=True)
    excludes_pregnancy = models.BooleanField(default=True)
    excludes_breast_feeding = models.BooleanField(default=False)
    min_lesions = WholeNumberField(low=1, high=100, default=1)
    max_lesions = WholeNumberField(low=1, high=1000, null=True, blank=True)
    min_lesion_mm = MeasureField(low=0, high=1000, places=1, null=True, blank=True)
    needs_pain_or_dysfunction = models.BooleanField(default=False)
    min_pain_vas = MeasureField(low=0, high=10, places=1, null=True, blank=True)
    subtypes = models.JSONField(default=list, blank=True)
    other_criteria = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["code", "version"]
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="protocol_version_once"),
        ]

    def __str__(self):
        return f"{self.code} version {self.version}"

    @property
    def definition(self) -> ProtocolDefinition:
        """The row as the pure definition that the rules take."""
        values = {name: getattr(self, name) for name in ProtocolDefinition.__dataclass_fields__}
        values |= {name: tuple(values[name]) for name in ("subtypes", "other_criteria", "expected_terms")}
        return ProtocolDefinition(**values)


class AllocationOpening(Audited):
    """The act of opening a controlled protocol's allocation: a whole clinic, or one patient. For ever."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="allocation_openings")
    protocol_code = models.CharField(max_length=40)
    patient = models.ForeignKey(
        Patient, models.PROTECT, null=True, blank=True, related_name="allocation_openings"
    )
    reason = models.TextField()
    opened_by = models.CharField(max_length=150)
    opened_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="opening_has_a_reason")]

    def __str__(self):
        return f"{self.protocol_code} opened in {self.clinic}"


class Series(ClinicalRecord):
    """The treatments of some lesions of a patient under one protocol."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="series")
    series_no = WholeNumberField(low=1, high=9999)
    protocol = models.ForeignKey(Protocol, models.PROTECT, related_name="series")
    started_on = models.DateField()
    status = CodeField(terms.SERIES_STATUS, default="active")
    stop_reason = CodeField(terms.STOP_REASON, blank=True, default="")
    high_concentration_approved_on = models.DateField(null=True, blank=True)
    high_concentration_reason = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering = ["patient", "series_no"]
        verbose_name_plural = "series"
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "series_no"], condition=kept(), name="series_no_once_per_patient"
            ),
            models.CheckConstraint(
                condition=Q(status="stopped") & ~Q(stop_reason="") | ~Q(status="stopped") & Q(stop_reason=""),
                name="stopped_has_a_reason",
            ),
        ]

    def __str__(self):
        return f"Series {self.series_no}"


class SeriesLesion(ClinicalRecord):
    """A lesion that a series treats; in a controlled protocol, its arm."""

    series = models.ForeignKey(Series, models.PROTECT, related_name="series_lesions")
    lesion = models.ForeignKey(Lesion, models.PROTECT, related_name="series_lesions")
    arm = CodeField(terms.ARM, blank=True, default="")
    position = WholeNumberField(low=0, high=9999, default=0)
    """The lesion's place in the clinic's own order, from 1; 0 where nobody ordered them: by lesion ID."""

    class Meta:
        ordering = ["series", "position", "lesion__lesion_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["series", "lesion"], condition=kept(), name="lesion_once_per_series"
            ),
        ]

    def __str__(self):
        return f"{self.series} {self.lesion}"


class TreatmentSession(ClinicalRecord):
    """A completed visit. What is still being written is a SessionDraft."""

    series = models.ForeignKey(Series, models.PROTECT, related_name="sessions")
    session_no = WholeNumberField(low=1, high=9999, null=True, blank=True)
    """1, 2, … by date within the series; empty once struck out."""
    kind = CodeField(terms.SESSION_KIND)
    held_on = models.DateField()
    ptga = WholeNumberField(low=0, high=10, null=True, blank=True)
    phga = WholeNumberField(low=0, high=10, null=True, blank=True)
    performed_by = models.CharField(max_length=150, blank=True, default="")
    note = models.TextField(blank=True, default="")
    completed_at = models.DateTimeField(null=True, editable=False)
    completed_by = models.CharField(max_length=150, blank=True, default="", editable=False)

    class Meta:
        ordering = ["series", "session_no"]
        indexes = [models.Index(fields=["held_on"], name="sessions_by_date")]
        constraints = [
            models.UniqueConstraint(fields=["series", "session_no"], name="session_no_once_per_series"),
            models.CheckConstraint(
                condition=Q(ptga=None) | Q(ptga__gte=1, ptga__lte=10), name="ptga_from_1_to_10"
            ),
            models.CheckConstraint(
                condition=Q(phga=None) | Q(phga__gte=1, phga__lte=10), name="phga_from_1_to_10"
            ),
            models.CheckConstraint(
                condition=Q(session_no=None) | Q(struck_out_at=None), name="struck_out_session_has_no_number"
            ),
        ]

    def __str__(self):
        return f"Session {self.session_no}"


class Assessment(ClinicalRecord):
    """What was seen of one lesion at one session. A gone lesion has no measures."""

    session = models.ForeignKey(TreatmentSession, models.PROTECT, related_name="assessments")
    lesion = models.ForeignKey(Lesion, models.PROTECT, related_name="assessments")
    status = CodeField(terms.LESION_STATUS)
    longest_mm = MeasureField(low=0, high=LARGEST_LESION_MM, places=2, above_low=True, null=True, blank=True)
    widest_mm = MeasureField(low=0, high=LARGEST_LESION_MM, places=2, above_low=True, null=True, blank=True)
    size_source = CodeField(terms.SIZE_SOURCE, blank=True, default="")
    ulcer = models.BooleanField(null=True, blank=True)
    inflammation = models.BooleanField(null=True, blank=True)
    pga = WholeNumberField(low=0, high=4, null=True, blank=True)
    observer_pga = WholeNumberField(low=0, high=4, null=True, blank=True)

    class Meta:
        ordering = ["session", "lesion__lesion_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["session", "lesion"], condition=kept(), name="assessed_once_per_session"
            ),
            models.CheckConstraint(
                condition=~Q(status="gone")
                | Q(longest_mm=None, widest_mm=None, size_source="", ulcer=None, inflammation=None),
                name="gone_lesion_has_no_measures",
            ),
        ]

    def __str__(self):
        return f"{self.session} {self.lesion}"


class Injection(ClinicalRecord):
    """What was injected into one lesion at one session."""

    session = models.ForeignKey(TreatmentSession, models.PROTECT, related_name="injections")
    lesion = models.ForeignKey(Lesion, models.PROTECT, related_name="injections")
    agent = CodeField(terms.AGENT)
    concentration_mg_ml = MeasureField(low=0, high=1000, places=2, above_low=True, null=True, blank=True)
    volume_ml = MeasureField(low=0, high=100, places=3, above_low=True)
    technique = CodeField(terms.TECHNIQUE, blank=True, default="")
    anaesthesia = CodeField(terms.ANAESTHESIA, blank=True, default="")
    pain_vas = MeasureField(low=0, high=10, places=1, null=True, blank=True)
    salt_form = CodeField(terms.SALT_FORM, blank=True, default="")
    lot_number = models.CharField(max_length=60, blank=True, default="")
    needle = models.CharField(max_length=60, blank=True, default="")
    dressing = CodeField(terms.DRESSING, blank=True, default="")

    class Meta:
        ordering = ["session", "lesion__lesion_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["session", "lesion"], condition=kept(), name="injected_once_per_session"
            ),
            models.CheckConstraint(
                condition=~Q(agent="sts") | Q(concentration_mg_ml__isnull=False),
                name="sts_has_a_concentration",
            ),
        ]

    def __str__(self):
        return f"{self.session} {self.lesion}"


class Infusion(ClinicalRecord):
    """What was infused into a vein at one session."""

    session = models.ForeignKey(TreatmentSession, models.PROTECT, related_name="infusions")
    dose_g = MeasureField(low=0, high=1000, places=2, above_low=True)
    duration_min = WholeNumberField(low=1, high=1440)

    class Meta:
        ordering = ["session"]
        constraints = [
            models.UniqueConstraint(fields=["session"], condition=kept(), name="infused_once_per_session"),
        ]

    def __str__(self):
        return f"{self.session} infusion"


class SessionVial(ClinicalRecord):
    """A vial from which was drawn at one session. What of it was injected stands with the injections of its lot."""

    session = models.ForeignKey(TreatmentSession, models.PROTECT, related_name="vials")
    vial_no = WholeNumberField(low=1, high=99)
    """Its place on the sheet."""
    lot_number = models.CharField(max_length=60)
    drawn_ml = MeasureField(low=0, high=1000, places=3, above_low=True)

    class Meta:
        ordering = ["session", "vial_no"]
        constraints = [
            models.UniqueConstraint(
                fields=["session", "vial_no"], condition=kept(), name="vial_no_once_per_session"
            ),
            models.CheckConstraint(condition=~Q(lot_number=""), name="vial_has_a_lot_number"),
        ]

    def __str__(self):
        return f"{self.session} vial {self.vial_no}"


class SideEffect(ClinicalRecord):
    """What happened to the patient, after a session, at a lesion, or between."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="side_effects")
    series = models.ForeignKey(Series, models.PROTECT, null=True, blank=True, related_name="side_effects")
    session = models.ForeignKey(
        TreatmentSession, models.PROTECT, null=True, blank=True, related_name="side_effects"
    )
    lesion = models.ForeignKey(Lesion, models.PROTECT, null=True, blank=True, related_name="side_effects")
    term = CodeField(terms.SIDE_EFFECT_TERM)
    term_detail = models.CharField(max_length=200, blank=True, default="")
    grade = WholeNumberField(low=1, high=5)
    ctcae_version = models.CharField(max_length=10, blank=True, default="")
    onset_on = models.DateField()
    resolved_on = models.DateField(null=True, blank=True)
    lasted_minutes = WholeNumberField(low=0, high=1440, null=True, blank=True)
    grade_answers = models.JSONField(default=dict, blank=True)
    """The answers to the plain questions that gave the grade: {question: answer}."""
    grade_reason = models.CharField(max_length=500, blank=True, default="")
    """Why the person chose another grade than the answers give."""
    meddra_code = models.CharField(max_length=20, blank=True, default="")
    """A site's own MedDRA code; none is shipped, since the dictionary is licensed."""
    serious = models.BooleanField(null=True, blank=True)
    seriousness_criteria = models.JSONField(default=list, blank=True)
    """Which of the six criteria of ICH E2A are met."""
    serious_known_at = models.DateTimeField(null=True, blank=True)
    """When the clinic knew that it was serious: the sponsor is told within 24 hours of this."""
    sponsor_told_on = models.DateField(null=True, blank=True)
    sponsor_told_time = models.TimeField(null=True, blank=True)
    """The clinic's own time of that day, where it is known: whether 24 hours were kept."""
    sponsor_told_who = models.CharField(max_length=200, blank=True, default="")
    causality = CodeField(terms.CAUSALITY, blank=True, default="")
    action = CodeField(terms.ACTION, blank=True, default="")
    outcome = CodeField(terms.SIDE_EFFECT_OUTCOME, blank=True, default="")

    class Meta:
        ordering = ["patient", "onset_on", "id"]
        constraints = [
            models.UniqueConstraint(
                F("patient"),
                Coalesce(F("series"), 0),
                Coalesce(F("session"), 0),
                Coalesce(F("lesion"), 0),
                F("term"),
                F("term_detail"),
                F("onset_on"),
                condition=kept(),
                name="side_effect_once_per_onset",
            ),
            models.CheckConstraint(
                condition=~Q(term="other") | ~Q(term_detail=""), name="other_side_effect_has_detail"
            ),
            models.CheckConstraint(
                condition=Q(resolved_on=None) | Q(resolved_on__gte=F("onset_on")),
                name="resolved_not_before_onset",
            ),
            models.CheckConstraint(
                condition=Q(session=None) | Q(series__isnull=False), name="side_effect_session_has_series"
            ),
        ]

    def __str__(self):
        return self.get_term_display()


class SideEffectObservation(ClinicalRecord):
    """How a side effect was on one day: its grade then, and what was done about it."""

    side_effect = models.ForeignKey(SideEffect, models.PROTECT, related_name="observations")
    seen_on = models.DateField()
    grade = WholeNumberField(low=1, high=5)
    action = CodeField(terms.ACTION, blank=True, default="")
    outcome = CodeField(terms.SIDE_EFFECT_OUTCOME, blank=True, default="")
    note = models.CharField(max_length=500, blank=True, default="")
    by = models.CharField(max_length=150)

    class Meta:
        ordering = ["side_effect", "seen_on", "id"]

    def __str__(self):
        return f"{self.side_effect} on {self.seen_on}"


INQUIRY_ANSWER = {"nothing": "Asked, nothing", "reported": "Asked, side effects reported"}
CALL_OUTCOME = {"no_answer": "Rang, no answer", "reached": "Rang and asked"}
CALL_ANSWER = {
    "nothing": "Asked, nothing new",
    "reported": "Asked, something new",
    "spoke": "Spoke about the visit",
}


class SideEffectInquiry(ClinicalRecord):
    """That somebody asked for side effects, and the answer: silence is never read as none."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="inquiries")
    series = models.ForeignKey(Series, models.PROTECT, null=True, blank=True, related_name="inquiries")
    session = models.ForeignKey(
        TreatmentSession, models.PROTECT, null=True, blank=True, related_name="inquiries"
    )
    """The session at which it was asked; empty for a call."""
    asked_on = models.DateField()
    answer = CodeField(INQUIRY_ANSWER)
    by = models.CharField(max_length=150)

    class Meta:
        ordering = ["patient", "asked_on", "id"]
        verbose_name_plural = "side effect inquiries"

    def __str__(self):
        return f"{self.get_answer_display()} on {self.asked_on}"


class CallAttempt(ClinicalRecord):
    """One try to reach a patient for one call of the call list."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="call_attempts")
    call_key = models.CharField(max_length=120)
    """Which call of the list it was for; the list itself is computed from facts and a date."""
    outcome = CodeField(CALL_OUTCOME)
    answer = CodeField(CALL_ANSWER, blank=True, default="")
    """What the patient answered; empty where nobody did."""
    inquiry = models.ForeignKey(
        SideEffectInquiry, models.PROTECT, null=True, blank=True, related_name="attempts"
    )
    """That side effects were asked for, as it was kept with this ring."""
    observation = models.ForeignKey(
        SideEffectObservation, models.PROTECT, null=True, blank=True, related_name="attempts"
    )
    """How the side effect was that this call was about."""
    rang_at = models.DateTimeField()
    rang_on = models.DateField()
    """The clinic's own date of the try."""
    note = models.CharField(max_length=500, blank=True, default="")
    by = models.CharField(max_length=150)

    class Meta:
        ordering = ["patient", "rang_at", "id"]
        indexes = [models.Index(fields=["patient", "call_key"], name="attempts_of_call")]

    def __str__(self):
        return f"{self.get_outcome_display()} on {self.rang_on}"


class RecalledLot(ClinicalRecord):
    """A lot that its maker called back; whoever got it is listed and pointed out."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="recalled_lots")
    lot_number = models.CharField(max_length=60)
    recalled_on = models.DateField()
    reason = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering = ["clinic", "lot_number"]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "lot_number"], condition=kept(), name="lot_recalled_once_per_clinic"
            ),
            models.CheckConstraint(condition=~Q(lot_number=""), name="recalled_lot_has_a_number"),
        ]

    def __str__(self):
        return self.lot_number


class AlertAcknowledgement(Audited):
    """That a person read an alert at a session, which facts it showed, and the note kept."""

    session = models.ForeignKey(TreatmentSession, models.PROTECT, related_name="acknowledgements")
    code = models.CharField(max_length=40)
    lesion = models.ForeignKey(Lesion, models.PROTECT, null=True, blank=True, related_name="+")
    facts = models.TextField()
    """The reason in words, as the person saw it."""
    note = models.TextField()
    by = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["session", "id"]
        constraints = [models.CheckConstraint(condition=~Q(note=""), name="acknowledgement_has_a_note")]

    def __str__(self):
        return f"{self.code} at {self.session}"


class SessionDraft(models.Model):
    """A session sheet being written: a new session, or the correction of one. Holds what was typed, as typed."""

    STATE = {"open": "Open", "completed": "Completed", "discarded": "Discarded"}

    series = models.ForeignKey(Series, models.PROTECT, related_name="drafts")
    kind = CodeField(terms.SESSION_KIND)
    corrects = models.ForeignKey(TreatmentSession, models.PROTECT, null=True, related_name="corrections")
    """The session that this draft corrects; empty for a new one."""
    corrects_version = models.PositiveIntegerField(null=True)
    session = models.ForeignKey(TreatmentSession, models.PROTECT, null=True, related_name="written_from")
    """The session that came of it."""
    state = CodeField(STATE, default="open")
    version = models.PositiveIntegerField(default=0)
    """Grows by one with each save."""
    opened_at = models.DateTimeField(auto_now_add=True)
    opened_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    saved_at = models.DateTimeField(null=True)
    saved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["series"], condition=Q(state="open", corrects=None), name="one_open_draft_per_series"
            ),
            models.UniqueConstraint(
                fields=["corrects"], condition=Q(state="open"), name="one_open_correction_per_session"
            ),
        ]

    def __str__(self):
        return f"Draft {self.pk}"


class DraftField(models.Model):
    """One field of a draft, as typed, with who typed it at which version."""

    draft = models.ForeignKey(SessionDraft, models.CASCADE, related_name="fields")
    name = models.CharField(max_length=200)
    value = models.TextField(blank=True)
    version = models.PositiveIntegerField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now=True)
    is_carried = models.BooleanField(default=False)
    """Whether it was taken over from the last treatment, of a correction from its session, and nobody typed since."""
    by_patient = models.BooleanField(default=False)
    """Whether the patient gave the value on the page of ScoreInvitation; `by` is then who asked for it."""
    instead_of = models.TextField(blank=True, default="")
    """What the patient's value replaced, and whose it was."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["draft", "name"], name="draft_field_once")]

    def __str__(self):
        return self.name

    @property
    def writer(self) -> str:
        """Who gave the value, in words: a user name, or the patient."""
        return "the patient" if self.by_patient else self.by.username


SCORE_PURPOSE = {"ptga": "PtGA, before the injection", "pain": "Pain of the injection"}


class ScoreInvitation(models.Model):
    """That the patient may answer one question of one sheet. Opened by a code of which only a digest is kept."""

    draft = models.ForeignKey(SessionDraft, models.PROTECT, related_name="score_invitations")
    purpose = CodeField(SCORE_PURPOSE)
    code_digest = models.CharField(max_length=64, unique=True)
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    """When the patient last gave an answer; it may be corrected until `done_at`."""
    done_at = models.DateTimeField(null=True)
    """When the patient confirmed the answer."""
    replaced_at = models.DateTimeField(null=True)
    """When a newer invitation for the same sheet was made."""

    class Meta:
        ordering = ["id"]

    def __str__(self):
        return f"{self.purpose} in {self.draft}"


class WrongScoreCode(models.Model):
    """That a wrong or old code came from an address, of which only a digest is kept. No clinical data."""

    address_digest = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["address_digest", "at"], name="wrong_codes_of_address")]

    def __str__(self):
        return f"Wrong code at {self.at}"


class DraftReader(models.Model):
    """That a person has or had a sheet open: no clinical data, and no history."""

    draft = models.ForeignKey(SessionDraft, models.CASCADE, related_name="readers")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    here_at = models.DateTimeField()
    """When the person last had it open."""
    typed_at = models.DateTimeField(null=True)
    """When the person last had it open after typing in it."""
    shown_at = models.DateTimeField(null=True)
    """When the page was made on which the person last typed: what it said of the patient is of then."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["draft", "user"], name="draft_reader_once")]

    def __str__(self):
        return f"{self.user} on {self.draft}"


MARKER_FIELDS = ("marker_x1", "marker_y1", "marker_x2", "marker_y2", "marker_mm")


def _share(words: str):
    return MeasureField(verbose_name=words, low=0, high=100, places=2, null=True, blank=True)


class Photograph(ClinicalRecord):
    """A photograph of one lesion. The file has a random name and no EXIF."""

    lesion = models.ForeignKey(Lesion, models.PROTECT, related_name="photographs")
    session = models.ForeignKey(
        TreatmentSession, models.PROTECT, null=True, blank=True, related_name="photographs"
    )
    draft = models.ForeignKey(SessionDraft, models.PROTECT, null=True, blank=True, related_name="photographs")
    """The draft it was taken in, until that draft becomes a session."""
    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    taken_on = models.DateField()
    width_px = models.PositiveIntegerField()
    height_px = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    marker_x1 = _share("marker, first end from the left (%)")
    marker_y1 = _share("marker, first end from the top (%)")
    marker_x2 = _share("marker, second end from the left (%)")
    marker_y2 = _share("marker, second end from the top (%)")
    """The ends of a scale marker on the picture, in % of its width and height from the upper left corner."""
    marker_mm = MeasureField(
        verbose_name="marker, length (mm)", low=0, high=1000, places=2, above_low=True, null=True, blank=True
    )
    """The marker's length in mm, as it is printed on it."""

    class Meta:
        ordering = ["lesion", "taken_on", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(**dict.fromkeys(MARKER_FIELDS))
                | Q(**{f"{name}__isnull": False for name in MARKER_FIELDS}),
                name="marker_is_whole_or_not_there",
            ),
        ]

    def __str__(self):
        return f"Photograph of {self.lesion}"

    @property
    def scale(self) -> Scale | None:
        """The scale that the marker gives, None without a marker."""
        if self.marker_mm is None:
            return None
        return Scale(between_px(*self.marker_points), self.marker_mm)

    @property
    def marker_points(self) -> tuple[Point, Point]:
        """The ends of the marker in pixels. Only where there is one."""
        return self.point(self.marker_x1, self.marker_y1), self.point(self.marker_x2, self.marker_y2)

    def point(self, x: Decimal, y: Decimal) -> Point:
        """A place given in % of the width and height, in pixels."""
        return Point(x * self.width_px / 100, y * self.height_px / 100)


class ExportDisguise(models.Model):
    """By which a patient leaves in a de-identified export. Two random numbers: shown nowhere, never exported."""

    patient = models.OneToOneField(Patient, models.PROTECT, related_name="export_disguise")
    days = models.SmallIntegerField()
    """How far the patient's days are shifted."""
    code = models.CharField(max_length=10, unique=True)
    """What stands in place of the study ID, where that is replaced."""

    class Meta:
        ordering = ["patient"]
        constraints = [models.CheckConstraint(condition=~Q(days=0), name="disguise_shifts_days")]

    def __str__(self):
        return f"Disguise {self.pk}"


class LesionDisguise(models.Model):
    """The code under which a lesion leaves, where IDs are replaced. Random, shown nowhere."""

    lesion = models.OneToOneField(Lesion, models.PROTECT, related_name="export_disguise")
    code = models.CharField(max_length=10, unique=True)

    class Meta:
        ordering = ["lesion"]

    def __str__(self):
        return f"Disguise {self.pk}"


class ExportJob(models.Model):
    """An export or a large report that somebody asked for, and how far a process of its own has come with it."""

    KIND = {"data": "Export", "report": "Report"}

    STATE = {
        "waiting": "Waiting",
        "running": "Under way",
        "done": "Ready",
        "failed": "Failed",
        "cancelled": "Cancelled",
    }

    made_by = models.ForeignKey(User, models.PROTECT, related_name="exports")
    asked_at = models.DateTimeField(auto_now_add=True)
    kind = CodeField(KIND, default="data")
    chosen = models.JSONField()
    """What was chosen: see sessions_app.exchange.plan_of, and report_asked.chosen_from."""
    reason = models.TextField(blank=True, default="")
    state = CodeField(STATE, default="waiting")
    worker = models.CharField(max_length=32, blank=True, default="")
    """Names the process that works on it; another one means that this one lost it."""
    heartbeat_at = models.DateTimeField()
    """When it was last heard of."""
    work_done = models.BigIntegerField(default=0)
    work_in_all = models.BigIntegerField(default=0)
    cancel_asked = models.BooleanField(default=False)
    error = models.CharField(max_length=500, blank=True, default="")
    finished_at = models.DateTimeField(null=True)
    folder = models.UUIDField(default=uuid.uuid4, unique=True)
    """The name of its folder below the data folder's exports."""

    class Meta:
        ordering = ["-id"]

    def __str__(self):
        return f"{self.KIND[self.kind]} {self.pk}"
