"""Which CTCAE grade has a side effect? Plain questions in, a grade from 1 to 5 out, with its version.

The questions are our own short paraphrases of the scale that versions 5.0 and 6.0 share: 1 needs
nothing, 2 hinders some of the day or needs simple treatment, 3 hinders self-care or needs hospital
care, 4 is life in danger, 5 is death. No licensed text is here. The questions, and so the grades, are the same in
both versions; the version is kept beside the grade as the edition that the clinic reports by. The person
who asks may overrule the answer, with a word why.

A grade is the gravest one of which a question is answered yes. A question of a graver kind that is not
answered is asked further, never taken as no. Adding a question is one entry; each term has its row in
QUESTIONS.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from stsclinic.clinical.terms import SIDE_EFFECT_TERM

VERSIONS = ("5.0", "6.0")
"""The editions of CTCAE, the usual one first."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One plain question, answered yes or no."""

    key: str
    """Names the form's field and the stored answer; never renamed."""
    text: str
    finding: str
    """What a yes says, for the words of the grade."""
    grade: int
    """The grade that a yes gives at least."""


@dataclass(frozen=True, kw_only=True)
class Grade:
    """What the answers say."""

    grade: int | None
    """1 to 5; None while graver questions are open."""
    at_least: int
    """The grade that the answers give already."""
    words: str
    version: str
    open: tuple[Question, ...] = ()
    """What is to be asked still, the gravest first."""


def _question(key: str, grade: int, text: str, finding: str) -> Question:
    return Question(key=key, grade=grade, text=text, finding=finding)


_DIED = _question("died", 5, "Did the patient die of it?", "the patient died of it")
_DANGER = _question(
    "danger",
    4,
    "Was life in danger, or was help needed at once to save it?",
    "life was in danger",
)
_HOSPITAL = _question(
    "hospital", 3, "Was a stay in hospital needed, or made longer?", "it needed a stay in hospital"
)
_SELF_CARE = _question(
    "self_care",
    3,
    "Did it stop you from washing, dressing or eating by yourself?",
    "it stopped the patient from washing, dressing or eating alone",
)
_DAILY = _question(
    "daily",
    2,
    "Did it stop you from housework, shopping or work?",
    "it stopped the patient from housework, shopping or work",
)
_TREATED = _question("treated", 2, "Did it need dressing or tablets?", "it needed a dressing or tablets")
_OPERATION = _question(
    "operation",
    3,
    "Did it need a drip, or an operation?",
    "it needed a drip or an operation",
)
_GRAVE = (_DIED, _DANGER)

_PAIN = (
    _SELF_CARE,
    _question("severe", 3, "Was it severe: could you think of nothing else?", "it was severe"),
    _DAILY,
    _question("moderate", 2, "Was it hard to bear, or did it need tablets?", "it was hard to bear"),
)
_GENERAL = (*_GRAVE, _HOSPITAL, _SELF_CARE, _DAILY, _TREATED)
_UNSTEADY = (_SELF_CARE, _DAILY)

QUESTIONS: Mapping[str, tuple[Question, ...]] = {
    "injection_site_pain": _PAIN,
    "injection_site_infection": (
        *_GRAVE,
        _HOSPITAL,
        _OPERATION,
        _question("tablets", 2, "Did it need antibiotic tablets?", "it needed antibiotic tablets"),
    ),
    "injection_site_reaction": (
        *_GRAVE,
        _question(
            "broken_skin",
            3,
            "Did the skin break open or die off, or was an operation needed?",
            "the skin broke open or died off, or an operation was needed",
        ),
        _question("painful", 2, "Was it painful or swollen?", "it was painful or swollen"),
    ),
    "skin_discolouration": (
        _question(
            "wide_or_troubling",
            2,
            "Is it wider than ten of your palms, or does it trouble you how it looks?",
            "it is wide, or its look troubles the patient",
        ),
    ),
    "skin_blistering": (
        *_GRAVE,
        _SELF_CARE,
        _question(
            "very_wide",
            3,
            "Are the blisters wider than thirty of your palms together?",
            "the blisters are wider than thirty palms",
        ),
        _DAILY,
        _question(
            "painful_or_wide",
            2,
            "Are the blisters painful, or wider than ten of your palms together?",
            "the blisters are painful, or wider than ten palms",
        ),
    ),
    "skin_ulceration": (
        *_GRAVE,
        _question(
            "bone",
            4,
            "Does the ulcer reach muscle or bone, or is much tissue destroyed?",
            "the ulcer reaches muscle or bone",
        ),
        _question("wide", 3, "Is it more than 2 cm wide?", "it is more than 2 cm wide"),
        _question(
            "deep", 3, "Is the whole thickness of the skin gone?", "the whole thickness of the skin is gone"
        ),
        _question(
            "middle",
            2,
            "Is it 1 cm wide or more, or is part of the thickness of the skin gone?",
            "it is 1 cm wide or more, or part of the skin's thickness is gone",
        ),
    ),
    "skin_necrosis": _GRAVE,
    "digital_necrosis": _GRAVE,
    "calcium_drainage": _GENERAL,
    "haematoma": (
        *_GRAVE,
        _question("operated", 3, "Did it need an operation or blood?", "it needed an operation or blood"),
        _question("emptied", 2, "Was it emptied with a needle or a small cut?", "it was emptied"),
    ),
    "nausea": (
        _question(
            "hardly_ate",
            3,
            "Could you hardly eat or drink, or was a tube, a drip or a stay in hospital needed?",
            "the patient could hardly eat or drink",
        ),
        _question("ate_less", 2, "Did you eat clearly less than usual?", "the patient ate clearly less"),
    ),
    "vomiting": (
        *_GRAVE,
        _question(
            "fed",
            3,
            "Was a tube, feeding by drip or a stay in hospital needed?",
            "a tube, feeding by drip or a stay in hospital was needed",
        ),
        _question(
            "helped", 2, "Did it need a drip without a stay, or medicine?", "it needed a drip or medicine"
        ),
    ),
    "diarrhoea": (
        *_GRAVE,
        _HOSPITAL,
        _SELF_CARE,
        _question(
            "seven", 3, "Seven or more stools a day above the usual?", "seven or more stools a day more"
        ),
        _DAILY,
        _question("four", 2, "Four to six stools a day above the usual?", "four to six stools a day more"),
    ),
    "abdominal_pain": _PAIN,
    "headache": _PAIN,
    "dizziness": _UNSTEADY,
    "hypotension": (
        *_GRAVE,
        _HOSPITAL,
        _question(
            "at_once",
            3,
            "Did it need a drip or medicine the same day?",
            "it needed a drip or medicine the same day",
        ),
        _question("changed", 2, "Was a medicine begun or changed for it?", "a medicine was begun or changed"),
    ),
    "disorientation": (*_GRAVE, *_UNSTEADY),
    "allergic_reaction": (
        *_GRAVE,
        _HOSPITAL,
        _question(
            "breath",
            3,
            "Was it hard to breathe, or was medicine by drip needed?",
            "it was hard to breathe, or medicine by drip was needed",
        ),
        _question("tablets", 2, "Did it need tablets?", "it needed tablets"),
    ),
    "metabolic_acidosis": (
        *_GRAVE,
        _question("ph", 3, "Was the pH of the blood below 7.3?", "the pH was below 7.3"),
    ),
    "hypernatraemia": (
        *_GRAVE,
        _question("over_160", 4, "Was the sodium above 160 mmol/l?", "the sodium was above 160 mmol/l"),
        _HOSPITAL,
        _question("over_155", 3, "Was the sodium above 155 mmol/l?", "the sodium was above 155 mmol/l"),
        _question(
            "over_150",
            2,
            "Was the sodium above 150 mmol/l, or was it treated?",
            "the sodium was above 150 mmol/l",
        ),
    ),
    "fatigue": (
        _SELF_CARE,
        _DAILY,
        _question("no_rest", 2, "Did rest not help?", "rest did not help"),
    ),
    "other": _GENERAL,
}
"""The questions of each term, the gravest first."""

LEAST = {"skin_necrosis": 3, "digital_necrosis": 3}
"""The grade of a term with every question answered no, where it is not 1: dead skin is grade 3."""

LEAST_WORDS = {
    1: "it was there, and none of the graver signs",
    3: "skin died off, and life was not in danger",
}


def questions_of(term: str, version: str) -> tuple[Question, ...]:
    """What is asked of a term, the gravest first.

    Raises:
        ValueError: the term or the version is not known.
    """
    if term not in SIDE_EFFECT_TERM:
        raise ValueError(f"There is no term {term!r}.")
    if version not in VERSIONS:
        raise ValueError(f"There is no version {version!r} of CTCAE here; there is {' and '.join(VERSIONS)}.")
    return QUESTIONS[term]


def grade_of(term: str, answers: Mapping[str, str], version: str) -> Grade:
    """The grade by these answers.

    Args:
        answers: `yes` or `no` by the question's key; anything else is not answered. Answers to
            questions that the term does not ask are left out.

    Raises:
        ValueError: the term or the version is not known.
    """
    asked = questions_of(term, version)
    told = [question for question in asked if answers.get(question.key) == "yes"]
    least = LEAST.get(term, 1)
    reached = max((question.grade for question in told), default=least)
    still_open = tuple(
        question
        for question in asked
        if question.grade > reached and answers.get(question.key) not in ("yes", "no")
    )
    findings = [question.finding for question in told if question.grade == reached] or [LEAST_WORDS[least]]
    ahead = "At least grade" if still_open else "Grade"
    return Grade(
        grade=None if still_open else reached,
        at_least=reached,
        words=f"{ahead} {reached} (CTCAE {version}): {', '.join(findings)}.",
        version=version,
        open=still_open,
    )
