"""The patient's own score: asked for by the clinician, given by the patient on a page without anything else.

The patient's page knows its invitation by the browser's session alone, which a code or the handing over of the
tablet puts there. It is shown in no browser where somebody is signed in: handing over signs out.
"""

import segno
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_http_methods, require_safe

from lesions.banner import banner_of
from sessions_app.models import SCORE_PURPOSE, ScoreInvitation, SessionDraft
from sessions_app.patient_scores import (
    InvitationOver,
    Question,
    answers_of,
    confirm,
    invitation_of_code,
    invite,
    live_invitations,
    must_wait,
    note_wrong_code,
    patients_own,
    purposes_of,
    questions_of,
    record_answer,
)
from sessions_app.patient_words import LANGUAGES, Words, place_words
from sessions_app.selectors import series_for
from stsclinic.access import public, require
from stsclinic.audit.services import note_event
from stsclinic.clinics.sign_in import client_address

HELD = "score_invitation"
"""Where the patient's browser keeps which invitation it may answer."""
SHEET_TO_GO_ON = "score_sheet"
"""Where a tablet of the clinic keeps the sheet that it came from; it is to be given back."""
GROUP = 4
"""Characters of a code that are shown together."""


def _sheet_of(user, pk: int) -> SessionDraft:
    """The sheet of a new session that the user may write. Raises Http404."""
    return get_object_or_404(
        SessionDraft.objects.select_related("series__protocol", "series__patient__clinic").filter(
            series__in=series_for(user, "record_session"), corrects=None
        ),
        pk=pk,
    )


@require("record_session")
@require_http_methods(["GET", "HEAD", "POST"])
def score_invite(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the patient score: a code for the patient's own telephone, or this tablet, signed out."""
    draft = _sheet_of(request.user, pk)
    purposes = purposes_of(draft, draft.series.protocol.definition)
    if draft.state != "open" or not purposes:
        return redirect("draft", draft.pk)
    if request.method != "POST":
        return _invite_page(request, draft, purposes)
    purpose = request.POST.get("purpose", purposes[0])
    if purpose not in purposes:
        raise Http404
    try:
        invitation, code = invite(draft=draft, purpose=purpose, by=request.user)
    except InvitationOver:
        return redirect("draft", draft.pk)
    if request.POST.get("way") == "tablet":
        return _hand_over(request, invitation)
    address = f"{request.build_absolute_uri(reverse('score'))}#{code}"
    drawn = segno.make(address, error="m", micro=False).svg_inline(
        border=4, light="#ffffff", dark="#000000", omitsize=True, title="Code for the patient's telephone"
    )
    return _invite_page(
        request,
        draft,
        purposes,
        invitation=invitation,
        # Drawn by segno from an address of our own and a code of letters and digits.
        drawn=mark_safe(drawn),  # noqa: S308
        address=request.build_absolute_uri(reverse("score")),
        code=" ".join(code[at : at + GROUP] for at in range(0, len(code), GROUP)),
        **_state(invitation),
    )


def _invite_page(
    request: HttpRequest, draft: SessionDraft, purposes: tuple[str, ...], **context
) -> HttpResponse:
    patient = draft.series.patient
    return render(
        request,
        "sessions_app/score_invite.html",
        {
            "draft": draft,
            "patient": patient,
            **banner_of(request.user, patient),
            "purposes": {purpose: SCORE_PURPOSE[purpose] for purpose in purposes},
            **context,
        },
    )


def _hand_over(request: HttpRequest, invitation: ScoreInvitation) -> HttpResponse:
    """Sign out in this browser, and leave the patient's page in it."""
    note_event("signed_out", by=request.user.username, detail="The tablet was handed to the patient.")
    logout(request)
    _hold(request, invitation)
    request.session[SHEET_TO_GO_ON] = invitation.draft_id
    return redirect("score")


def _hold(request: HttpRequest, invitation: ScoreInvitation) -> None:
    request.session.flush()
    request.session[HELD] = invitation.pk


@require("record_session")
@require_safe
def score_state(request: HttpRequest, pk: int) -> HttpResponse:
    """What has come of the newest invitation of a sheet, as a part of the page that shows its code."""
    draft = _sheet_of(request.user, pk)
    invitation = draft.score_invitations.order_by("-pk").first()
    if invitation is None:
        raise Http404
    state = _state(invitation)
    status = 286 if state["is_over"] else 200  # htmx asks no further after a 286
    return render(
        request,
        "sessions_app/score_state.html",
        {"draft": draft, "patient": draft.series.patient, "invitation": invitation, **state},
        status=status,
    )


def _state(invitation: ScoreInvitation) -> dict:
    own = patients_own(invitation.draft) if invitation.answered_at else {}
    asked = questions_of(invitation)
    return {
        "is_over": not live_invitations().filter(pk=invitation.pk).exists(),
        "given": [
            {"lesion": one.lesion, "value": own[one.field].value, "at": own[one.field].at}
            for one in asked
            if one.field in own
        ],
    }


# The patient's page -------------------------------------------------------------------------------------------


@public
@require_http_methods(["GET", "HEAD", "POST"])
def score(request: HttpRequest) -> HttpResponse:
    """The patient's page: the code, the language, the question, the check, the thanks."""
    answer = _open(request) if "code" in request.POST else _page(request)
    patch_cache_control(answer, no_store=True, private=True)
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _open(request: HttpRequest) -> HttpResponse:
    address = client_address(request)
    if must_wait(address):
        return _own(request, "score_code.html", must_wait=True, status=429)
    invitation = invitation_of_code(request.POST["code"])
    if invitation is None:
        note_wrong_code(address)
        return _own(request, "score_code.html", is_refused=True, status=404)
    if request.user.is_authenticated:
        note_event("signed_out", by=request.user.username, detail="A patient's code was opened.")
        logout(request)
    _hold(request, invitation)
    return redirect("score")


def _page(request: HttpRequest) -> HttpResponse:
    held = None if request.user.is_authenticated else request.session.get(HELD)
    if held is None:
        # An answer that comes too late to be anybody's is told so, as a wrong code is.
        is_answer = request.method == "POST"
        return _own(request, "score_code.html", is_refused=is_answer, status=404 if is_answer else 200)
    invitation = live_invitations().filter(pk=held).first()
    language = request.POST.get("language") or request.GET.get("language", "")
    if invitation is None:
        if ScoreInvitation.objects.filter(pk=held, done_at__isnull=False).exists():
            return _own(request, "score_thanks.html", language=language)
        return _own(request, "score_code.html", is_refused=True, status=404)
    if language not in LANGUAGES:
        return _own(request, "score_language.html")
    if request.method == "POST":
        return _take(request, invitation, language)
    if request.GET.get("step") == "check" and invitation.answered_at:
        given = answers_of(invitation)
        rows = [row for row in _rows(invitation, LANGUAGES[language], given) if row["chosen"] is not None]
        if rows:
            return _own(request, "score_check.html", language=language, rows=rows)
    return _ask(request, invitation, language, answers_of(invitation))


def _take(request: HttpRequest, invitation: ScoreInvitation, language: str) -> HttpResponse:
    try:
        if "done" in request.POST:
            confirm(invitation)
            return _on(language)
        asked = questions_of(invitation)
        answers = {one.field: _number(request.POST.get(one.field, ""), one) for one in asked}
        given = {name: number for name, number in answers.items() if number is not None}
        if len(given) < len(asked):
            return _ask(request, invitation, language, given, is_incomplete=True)
        record_answer(invitation=invitation, answers=given)
    except InvitationOver:
        return _on(language)
    return _on(language, step="check")


def _on(language: str, **query: str) -> HttpResponse:
    return redirect(reverse("score", query={"language": language, **query}))


def _number(text: str, question: Question) -> int | None:
    return next((number for number in question.numbers if str(number) == text), None)


def _ask(
    request: HttpRequest,
    invitation: ScoreInvitation,
    language: str,
    given: dict[str, int],
    *,
    is_incomplete: bool = False,
) -> HttpResponse:
    words = LANGUAGES[language]
    low, high = words.ends[invitation.purpose]
    rows = _rows(invitation, words, given)
    return _own(
        request,
        "score_question.html",
        language=language,
        question=words.questions[invitation.purpose],
        rows=rows,
        low=f"{rows[0]['numbers'][0]} = {low}" if rows else "",
        high=f"{rows[0]['numbers'][-1]} = {high}" if rows else "",
        is_incomplete=is_incomplete,
        status=422 if is_incomplete else 200,
    )


def _rows(invitation: ScoreInvitation, words: Words, given: dict[str, int]) -> list[dict]:
    asked = questions_of(invitation)
    places = [
        place_words(words, one.lesion.body_site, one.lesion.laterality) if one.lesion else "" for one in asked
    ]
    return [
        {
            "field": one.field,
            "numbers": one.numbers,
            "chosen": given.get(one.field),
            # Two lesions in one place are told apart by the name that they have on the sheet.
            "place": f"{place} ({one.lesion.lesion_id})" if one.lesion and places.count(place) > 1 else place,
        }
        for one, place in zip(asked, places, strict=True)
    ]


def _own(
    request: HttpRequest, template: str, *, language: str = "", status: int = 200, **context
) -> HttpResponse:
    """A page for the patient: it stands under no menu and names nobody."""
    words = LANGUAGES.get(language)
    return render(
        request,
        f"sessions_app/{template}",
        {
            "languages": LANGUAGES,
            "language": language if words else "en",
            "words": words,
            "all_words": [(words, language)] if words else [(one, code) for code, one in LANGUAGES.items()],
            "sheet_to_go_on": request.session.get(SHEET_TO_GO_ON),
            **context,
        },
        status=status,
    )
