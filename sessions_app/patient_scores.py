"""The patient's own score: a code that opens one question of one sheet, and the answer that goes into it.

The code is all that is needed, so it is worth nothing else: 128 bits at random, kept as a digest, good for
15 minutes, one sheet and one question. It ends with the patient's confirmed answer, with the sheet, and when
a newer one is made for the same sheet. It is never part of an address that a server or a proxy could log: the QR
code carries it behind the #, which a browser keeps to itself.

PtGA is given once for the visit; the pain of the injection is asked of each lesion that was injected, since that
is how it is recorded (domain.md, "What happens", points 2 and 4).
"""

import base64
import datetime
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac

from lesions.models import Lesion
from sessions_app.draft_saving import put_fields
from sessions_app.entries import lesion_field
from sessions_app.models import DraftField, ScoreInvitation, SessionDraft, TreatmentSession, WrongScoreCode
from stsclinic.audit.services import note_event
from stsclinic.clinical.protocols import ProtocolDefinition
from stsclinic.clinical.scales import SCALES, Scale
from stsclinic.clinics.models import User

LIVES = datetime.timedelta(minutes=15)
CODE_BYTES = 16
WRONG_CODES = 10
"""Wrong codes from one address in WRONG_CODES_WITHIN, after which it has to wait."""
WRONG_CODES_WITHIN = datetime.timedelta(minutes=10)
KEPT_FOR = datetime.timedelta(days=1)
SCALE_OF = {"ptga": "ptga", "pain": "pain_vas"}


class InvitationOver(Exception):
    """The time is over, the answer was confirmed, the sheet was closed, or there is a newer code."""


@dataclass(frozen=True)
class Question:
    """One field of the sheet that the patient is asked for."""

    field: str
    scale: Scale
    lesion: Lesion | None = None

    @property
    def numbers(self) -> range:
        """What may be chosen: the whole numbers of the scale."""
        return range(int(self.scale.low), int(self.scale.high) + 1)


def purposes_of(draft: SessionDraft, definition: ProtocolDefinition) -> tuple[str, ...]:
    """What the patient may be asked on this sheet; nothing when an old session is corrected."""
    if draft.corrects_id:
        return ()
    injects = draft.kind == "treatment" and definition.route == "injection"
    asked = {"ptga": definition.uses_ptga_phga, "pain": injects and definition.asks_injection_pain}
    return tuple(purpose for purpose, is_asked in asked.items() if is_asked)


@transaction.atomic
def invite(*, draft: SessionDraft, purpose: str, by: User) -> tuple[ScoreInvitation, str]:
    """A new invitation and its code; earlier ones of the same sheet end. The code is told here only.

    Raises:
        InvitationOver: the sheet was closed in between.
        ValueError: the sheet does not ask for this.
    """
    draft = SessionDraft.objects.select_for_update(of=("self",)).select_related("series").get(pk=draft.pk)
    if draft.state != "open":
        raise InvitationOver
    if purpose not in purposes_of(draft, draft.series.protocol.definition):
        raise ValueError(f"{purpose!r} is not asked for on this sheet.")
    now = timezone.now()
    draft.score_invitations.filter(replaced_at=None, done_at=None).update(replaced_at=now)
    code = base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode().rstrip("=")
    invitation = ScoreInvitation.objects.create(
        draft=draft,
        purpose=purpose,
        code_digest=_digest(code),
        made_by=by,
        made_at=now,
        ends_at=now + LIVES,
    )
    note_event(
        "score_asked",
        by=by.username,
        patient_pk=draft.series.patient_id,
        detail=f"{SCALES[SCALE_OF[purpose]].name}, sheet {draft.pk}",
    )
    return invitation, code


def live_invitations() -> QuerySet[ScoreInvitation]:
    """Those that may be answered now, with sheet, protocol and clinic."""
    return ScoreInvitation.objects.filter(
        done_at=None,
        replaced_at=None,
        ends_at__gt=timezone.now(),
        draft__state="open",
        draft__series__struck_out_at=None,
        draft__series__patient__struck_out_at=None,
    ).select_related("draft__series__protocol", "draft__series__patient__clinic", "made_by")


def invitation_of_code(typed: str) -> ScoreInvitation | None:
    """The invitation that a code opens, or None: for a wrong one, an old one and none at all the same work."""
    return live_invitations().filter(code_digest=_digest(typed)).first()


def _digest(code: str) -> str:
    plain = "".join(code.split()).replace("-", "").upper()
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()


def must_wait(address: str | None) -> bool:
    """Whether too many wrong codes came from this address of late."""
    since = timezone.now() - WRONG_CODES_WITHIN
    found = WrongScoreCode.objects.filter(address_digest=_address_digest(address), at__gt=since)
    return found.count() >= WRONG_CODES


def note_wrong_code(address: str | None) -> None:
    """Count a wrong code against the address that it came from."""
    now = timezone.now()
    WrongScoreCode.objects.filter(at__lt=now - KEPT_FOR).delete()
    WrongScoreCode.objects.create(address_digest=_address_digest(address), at=now)


def _address_digest(address: str | None) -> str:
    return salted_hmac("stsclinic.score_code", address or "", algorithm="sha256").hexdigest()


def questions_of(invitation: ScoreInvitation) -> tuple[Question, ...]:
    """What is asked: PtGA, or the pain at each lesion that the sheet gives a volume (at none yet: at each not gone)."""
    scale = SCALES[SCALE_OF[invitation.purpose]]
    if invitation.purpose == "ptga":
        return (Question("ptga", scale),)
    draft = invitation.draft
    texts = dict(draft.fields.values_list("name", "value"))
    lesions = [row.lesion for row in draft.series.series_lesions.select_related("lesion")]
    there = [lesion for lesion in lesions if not texts.get(lesion_field(lesion.pk, "gone"))]
    injected = [lesion for lesion in there if texts.get(lesion_field(lesion.pk, "volume_ml"), "").strip()]
    return tuple(Question(lesion_field(row.pk, scale.code), scale, row) for row in injected or there)


def answers_of(invitation: ScoreInvitation) -> dict[str, int]:
    """What was answered by this invitation, {field: number}, as it still stands on the sheet."""
    names = [question.field for question in questions_of(invitation)]
    rows = invitation.draft.fields.filter(name__in=names, by_patient=True, at__gte=invitation.made_at)
    return {row.name: int(row.value) for row in rows}


@transaction.atomic
def record_answer(*, invitation: ScoreInvitation, answers: dict[str, int]) -> None:
    """Put the patient's answers into the sheet, as one more change that colleagues see. Sent twice, nothing changes.

    The patient's word stands also where somebody typed another number before; what it replaced is kept beside it.

    Raises:
        InvitationOver: nothing was written.
        ValueError: a field that is not asked, or a number that is not on the scale.
    """
    draft = SessionDraft.objects.select_for_update().get(pk=invitation.draft_id)
    now_so = live_invitations().filter(pk=invitation.pk).first()
    if now_so is None:
        raise InvitationOver
    asked = {question.field: question for question in questions_of(now_so)}
    if any(name not in asked or number not in asked[name].numbers for name, number in answers.items()):
        raise ValueError("This was not asked.")
    now = timezone.now()
    stored = {row.name: row for row in draft.fields.filter(name__in=answers).select_related("by")}
    changed = []
    for name, number in answers.items():
        there = stored.get(name)
        if there and there.by_patient and there.value == str(number):
            continue
        changed.append(
            DraftField(
                draft=draft,
                name=name,
                value=str(number),
                version=draft.version + 1,
                by=now_so.made_by,
                by_patient=True,
                instead_of=_replaced(there, number),
                at=now,
            )
        )
    if changed:
        put_fields(changed)
        draft.version += 1
        draft.save(update_fields=["version"])
        for row in changed:
            note_event(
                "score_given",
                by=now_so.made_by.username,
                patient_pk=now_so.draft.series.patient_id,
                detail=_told(asked[row.name], row),
            )
    ScoreInvitation.objects.filter(pk=now_so.pk).update(answered_at=now)


def _replaced(there: DraftField | None, number: int) -> str:
    if there is None or there.value in ("", str(number)):
        return there.instead_of if there else ""
    return there.instead_of if there.by_patient else f"{there.value} by {there.by.username}"


def _told(question: Question, row: DraftField) -> str:
    where = f" of {question.lesion.lesion_id}" if question.lesion else ""
    instead = f", instead of {row.instead_of}" if row.instead_of else ""
    return f"{question.scale.name}{where} {row.value} by the patient{instead}, sheet {row.draft_id}"


@transaction.atomic
def confirm(invitation: ScoreInvitation) -> None:
    """The patient is done: the code opens nothing any more.

    Raises:
        InvitationOver: it was over before, or nothing was answered yet.
    """
    SessionDraft.objects.select_for_update().get(pk=invitation.draft_id)
    now_so = live_invitations().filter(pk=invitation.pk, answered_at__isnull=False)
    if not now_so.exists():
        raise InvitationOver
    ScoreInvitation.objects.filter(pk=invitation.pk).update(done_at=timezone.now())


def patients_own(draft: SessionDraft) -> dict[str, DraftField]:
    """The fields of a sheet that stand as the patient gave them, by name."""
    return {row.name: row for row in draft.fields.filter(by_patient=True)}


def patients_own_words(draft: SessionDraft) -> dict[str, str]:
    """The same in words, with the clinic's own time."""
    zone = draft.series.patient.clinic.zone
    return {name: patients_words(row, zone) for name, row in patients_own(draft).items()}


def patients_words(row: DraftField, zone: datetime.tzinfo) -> str:
    """That the patient gave a value, and when: `7, by the patient, 14:02, instead of 5 by nurse`."""
    instead = f", instead of {row.instead_of}" if row.instead_of else ""
    return f"{row.value}, by the patient, {row.at.astimezone(zone):%H:%M}{instead}"


def stands_by_patient(session: TreatmentSession) -> Callable[[str, object], bool]:
    """Asks of a completed session whether a field of its sheet (its name, its value) is as the patient gave it."""
    rows = DraftField.objects.filter(draft__session=session, by_patient=True)
    given = set(rows.values_list("name", "value"))
    return lambda name, value: (name, str(value)) in given
