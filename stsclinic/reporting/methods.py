"""The methods paragraph: what was done, from the actual choices, in plain scientific English.

It can be copied into a paper. References are numbered in the order in which they are named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from stsclinic.clinical.numbers import show_decimal
from stsclinic.clinical.remission import HORIZON
from stsclinic.clinical.terms import BODY_SITE, DIAGNOSIS, SUBTYPE
from stsclinic.reporting.controlled import COMPARED, Controlled, pairs_of
from stsclinic.reporting.gone import followed_lesions
from stsclinic.reporting.selection import UNIT
from stsclinic.reporting.statistics import bootstrap, sign_flip, survival
from stsclinic.reporting.statistics.sign_flip import MOST_EXACT
from stsclinic.reporting.summary import Report
from stsclinic.reporting.tables.table import Column, Table
from stsclinic.reporting.words import count_words, day_words

REFERENCES = {
    "aarhus": (
        "Olesen AB, Fage S. Dystrophic calcification in systemic sclerosis: intralesional injections of sodium "
        "thiosulfate may have significant positive effects on your patients. Aarhus University Hospital."
    ),
    "orlando": (
        "Winter AR, Klager S, Truong R, et al. Efficacy of intralesional sodium thiosulfate for the treatment of "
        "dystrophic calcinosis cutis: a double-blind, placebo-controlled pilot study. JAAD Int 2020;1:114-20."
    ),
    "wilson": (
        "Wilson EB. Probable inference, the law of succession, and statistical inference. J Am Stat Assoc "
        "1927;22:209-12."
    ),
    "bootstrap": (
        "Field CA, Welsh AH. Bootstrapping clustered data. J R Stat Soc Series B Stat Methodol 2007;69:369-90."
    ),
    "km": (
        "Kaplan EL, Meier P. Nonparametric estimation from incomplete observations. J Am Stat Assoc "
        "1958;53:457-81."
    ),
    "garwood": "Garwood F. Fiducial limits for the Poisson distribution. Biometrika 1936;28:437-42.",
    "mixed": "Laird NM, Ware JH. Random-effects models for longitudinal data. Biometrics 1982;38:963-74.",
    "signs": (
        "Pitman EJG. Significance tests which may be applied to samples from any populations. Suppl J R Stat "
        "Soc 1937;4:119-30."
    ),
    "scipy": (
        "Virtanen P, Gommers R, Oliphant TE, et al. SciPy 1.0: fundamental algorithms for scientific computing "
        "in Python. Nat Methods 2020;17:261-72."
    ),
    "consort": (
        "Pandis N, Chung B, Scherer RW, Elbourne D, Altman DG. CONSORT 2010 statement: extension checklist for "
        "reporting within person randomised trials. BMJ 2017;357:j2835."
    ),
}


@dataclass(frozen=True, slots=True)
class Methods:
    """The text in paragraphs, and its references in the order of their numbers."""

    paragraphs: Sequence[str]
    references: Sequence[str]

    @property
    def text(self) -> str:
        """All of it as plain text, to copy."""
        listed = [f"{number}. {one}" for number, one in enumerate(self.references, 1)]
        return "\n\n".join([*self.paragraphs, "References\n" + "\n".join(listed)])

    @property
    def table(self) -> Table:
        """As the files hold it."""
        columns = (Column("part", "Part"), Column("text", "Text"))
        rows = [("Methods", one) for one in self.paragraphs]
        rows += [(f"Reference {number}", one) for number, one in enumerate(self.references, 1)]
        return Table("methods", "Methods", columns, rows)


class _Cited:
    """Numbers the references as they are named."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, name: str) -> str:
        if name not in self.names:
            self.names.append(name)
        return f"[{self.names.index(name) + 1}]"


def methods(
    report: Report,
    *,
    clinics: Sequence[str],
    stated_on: date,
    data_state: str,
    versions: Mapping[str, str],
    with_numbers: bool = True,
) -> Methods:
    """Write the paragraph.

    Args:
        clinics: their names, as the report shows them.
        data_state: what the data were, such as the number of the last change.
        versions: of `stsclinic` and of what it computed with, by name.
        with_numbers: whether to say how many were treated and analysed; not where small numbers are hidden.
    """
    cite = _Cited()
    paragraphs = [
        _patients_words(report, clinics, stated_on, data_state, with_numbers, cite),
        _outcome_words(report, cite),
        _statistics_words(report, cite),
    ]
    if report.controlled or report.has_concealed:
        paragraphs.append(_controlled_words(report, with_numbers, cite))
    if report.series or report.controlled:
        paragraphs[-1] += " All tests are two-sided; no adjustment was made for multiple comparisons."
    paragraphs.append(_software_words(versions, cite))
    return Methods(paragraphs, [REFERENCES[name] for name in cite.names])


def _were(number: int, *, said: bool = True) -> str:
    verb = "was" if number == 1 else "were"
    return f"{number} {verb}" if said else verb


def _listed(words: Sequence[str]) -> str:
    """`North, South and West`; apart by semicolons where one of them has a comma in it."""
    apart = "; " if any("," in one for one in words) else ", "
    return words[0] if len(words) == 1 else f"{apart.join(words[:-1])} and {words[-1]}"


def _patients_words(
    report: Report,
    clinics: Sequence[str],
    stated_on: date,
    data_state: str,
    with_numbers: bool,
    cite: _Cited,
) -> str:
    chosen = report.selection
    sentences = [
        f"Data were taken from the clinical register of {_listed(clinics) if clinics else 'no clinic'}, as of "
        f"{day_words(stated_on)} ({data_state})."
    ]
    limits = []
    if chosen.diagnoses:
        limits.append(f"diagnosis {_listed([DIAGNOSIS[one].lower() for one in sorted(chosen.diagnoses)])}")
    if chosen.protocols:
        limits.append(f"protocol {_listed(sorted(chosen.protocols))}")
    if chosen.subtypes:
        limits.append(
            f"lesions of subtype {_listed([SUBTYPE[one].lower() for one in sorted(chosen.subtypes)])}"
        )
    if chosen.body_sites:
        limits.append(
            f"lesions of the {_listed([BODY_SITE[one].lower() for one in sorted(chosen.body_sites)])}"
        )
    if chosen.concentrations:
        limits.append(
            "series in which sodium thiosulfate was injected at "
            f"{_listed([f'{show_decimal(one)} mg/ml' for one in sorted(chosen.concentrations)])}"
        )
    if chosen.first_treatment_from:
        limits.append(f"a first treatment from {day_words(chosen.first_treatment_from)}")
    if chosen.first_treatment_to:
        limits.append(f"a first treatment to {day_words(chosen.first_treatment_to)}")
    sentences.append(
        f"The selection was limited to {'; '.join(limits)}." if limits else "No further selection was made."
    )
    cohort = report.cohort
    if with_numbers:
        sentences.append(
            f"Of {count_words(cohort['patients_offered'], 'patient')} offered treatment, "
            f"{_were(cohort['patients_treated'])} treated with "
            f"{count_words(cohort['treatment_sessions'], 'treatment')}, and {_analysed_words(cohort)} analysed."
        )
    if protocols := _protocols_words(report):
        sentences.append(protocols)
    sentences.append(
        "A series of treatments was analysed if it was completed as planned or stopped for remission after at "
        "least two treatments, and if the patient's and the physician's global assessments (PtGA and PhGA, 1 to "
        "10, higher is worse) were recorded at its first and last treatment. A further series of the same patient "
        "was analysed if it treated other lesions and began at least one calendar month after the last treatment "
        f"of the analysed series before it {cite('aarhus')}."
    )
    if chosen.picks_series and report.series:
        sentences.append(
            "Series outside the selection were not looked at, so an analysed series need not be the first that treated "
            "its lesions."
        )
    return " ".join(sentences)


def _analysed_words(cohort: Mapping[str, Any]) -> str:
    number = cohort["series_analysed"]
    if not number:
        return "no series was"
    return f"{number} series in {count_words(cohort['patients_analysed'], 'patient')} {_were(number, said=False)}"


def _protocols_words(report: Report) -> str:
    """The protocols of the treated series with their versions; nothing where nobody was treated."""
    versions: dict[str, set[int]] = {}
    for course in report.chosen.courses:
        if course.treatment_count:
            versions.setdefault(course.series.protocol, set()).add(course.series.protocol_version)
    if not versions:
        return ""
    told = [
        f"{code} (version{'s' if len(found) > 1 else ''} {_listed([str(one) for one in sorted(found)])})"
        for code, found in sorted(versions.items())
    ]
    return f"Treatments followed the protocol{'s' if len(told) > 1 else ''} {_listed(told)}."


def _outcome_words(report: Report, cite: _Cited) -> str:
    horizon = HORIZON[report.selection.horizon].lower()
    unit = UNIT[report.selection.unit].lower()
    return (
        "Complete remission of a lesion was its absence at the last assessment; partial remission was a decrease "
        "of PtGA together with a healed ulcer or a smaller size (longest times widest diameter) "
        f"{cite('aarhus')}. A series had the best outcome of its lesions, and a patient that of the analysed "
        "series. Outcomes were judged at the end of treatment (treatment sessions only) and at follow-up (every "
        f"session); the headline is at {'the ' if horizon.startswith('end') else ''}{horizon}, counted by {unit}. "
        "What was not recorded was kept unknown, and not imputed."
    )


def _statistics_words(report: Report, cite: _Cited) -> str:
    """Only what was computed: of no analysed series there is neither score nor share."""
    if report.series:
        sentences = _analysis_words(report, cite)
    else:
        sentences = ["No series was analysed, so scores and remission have no statistics."]
    if report.cohort["treatment_sessions"]:
        sentences.append(
            "Side effects are given per 100 treatments and per 100 injections with exact Poisson intervals "
            f"{cite('garwood')}."
        )
    return " ".join(sentences)


def _analysis_words(report: Report, cite: _Cited) -> list[str]:
    by_patient = report.selection.unit == "patient"
    unit = "over patients (the mean of each patient's series)" if by_patient else "over series"
    sentences = [
        "Scores before the first and before each later treatment were compared by the mean decrease with a 95% "
        "confidence interval and paired two-sided t test, and by the two-sided Wilcoxon signed-rank test; the "
        f"headline is {unit}. Shares of patients have Wilson's 95% interval {cite('wilson')}. Since series and "
        "lesions of one patient are not independent, their shares have percentile intervals from a bootstrap over "
        f"patients ({bootstrap.DRAWS} draws, seed {bootstrap.SEED}) {cite('bootstrap')}."
    ]
    if len(followed_lesions(report).days):
        sentences.append(
            "The time from the first injection of a lesion to its first assessment as gone was estimated by Kaplan "
            f"and Meier's method {cite('km')}, lesions never seen gone being censored at their last assessment, "
            f"with intervals from a bootstrap over patients ({survival.DRAWS} draws, seed {survival.SEED})."
        )
    choices = ["counting each patient once (the first analysed series, and the mean of the analysed series)"]
    if len(report.series) > len(report.patients) > 1:
        choices.append(
            "a linear model with the patient as random intercept fitted by restricted maximum likelihood "
            f"{cite('mixed')}"
        )
    choices += [
        "carrying the last recorded score forward for series without a last one",
        "taking every series with two scores",
    ]
    sentences.append(f"Sensitivity of the headline was examined by {_listed(choices)}.")
    return sentences


def _controlled_words(report: Report, with_numbers: bool, cite: _Cited) -> str:
    """What was compared between the arms, and how; or that it was not, while the allocation is closed."""
    sentences = [
        f"In controlled protocols each subject contributed one lesion to each arm {cite('orlando')}."
    ]
    if report.controlled:
        sentences += _arms_words(report.controlled, with_numbers, cite)
    if report.has_concealed:
        sentences.append("Where the allocation is still closed, the arms were not compared.")
    sentences.append(
        f"The flow of subjects and lesions follows the within-person extension of CONSORT {cite('consort')}."
    )
    return " ".join(sentences)


def _arms_words(found: Controlled, with_numbers: bool, cite: _Cited) -> list[str]:
    subjects = max(len(pairs_of(found.lesions, name)) for name in COMPARED)
    told = f" ({count_words(subjects, 'subject')})" if with_numbers else ""
    if subjects > MOST_EXACT:
        test = f" by a sign-flip permutation test ({sign_flip.DRAWS} draws, seed {sign_flip.SEED})"
    else:
        test = ", since the number of subjects is small, by the exact sign-flip permutation test"
    return [
        f"The arms were compared over the subjects whose series was complete{told}, from the first assessment of "
        "a lesion to its last: its size (longest times widest diameter, 0 where the lesion was gone) at both and "
        "its change in percent, the changes of the physician's and of an independent observer's global assessment "
        "(PGA, 0 to 4), and the mean pain of its injections (visual analogue scale, 0 to 10).",
        f"Differences within subjects, active minus control, were tested by the paired t test and{test} "
        f"{cite('signs')}.",
    ]


def _software_words(versions: Mapping[str, str], cite: _Cited) -> str:
    used = [f"{name} {version}" for name, version in versions.items()]
    return f"Computed with {_listed(used)} {cite('scipy')}."
