"""The headline of the report, computed again from the exported files. Needs Python 3.11, pandas and SciPy.

    python headline.py            prints the table
    python headline.py --json     prints the numbers in full precision

It reads sheets.zip and manifest.json beside this file. The manifest says what the headline counts (series,
patients or lesions) and at which horizon (end of treatment or follow-up); which series are analysed stands in
the sheet analysis, since a calendar month does not survive shifted days; everything else is computed here.
The rules are in codebook.html and in the report's footnotes.
"""

import io
import json
import math
import sys
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

SCORES = {"ptga": "PtGA", "phga": "PhGA"}
OUTCOMES = {
    "complete": "Complete remission",
    "partial": "Partial remission",
    "none": "No remission",
    "not_evaluable": "Not evaluable",
}
SERIES = ["patient_id", "series_no"]
UNITS = {"series": "series", "patient": "patients", "lesion": "lesions"}
HORIZONS = {"end_of_treatment": "end of treatment", "follow_up": "follow-up"}
MEASURES = {
    "ptga": "Mean decrease of PtGA, points",
    "phga": "Mean decrease of PhGA, points",
    "complete": "Complete remission, %",
    "any": "Complete or partial remission, %",
}
IN_REMISSION = {"complete": ("complete",), "any": ("complete", "partial")}
DRAWS, SEED, ALIKE = 4000, 20261120, 12
Z95 = 1.959963984540054


def read_sheet(archive, name):
    """One sheet as a table of texts; separated by commas, or as Excel in Denmark has it."""
    text = archive.read(f"{name}.csv").decode("utf-8-sig")
    is_danish = ";" in text.partition("\n")[0]
    table = pd.read_csv(io.StringIO(text), sep=";" if is_danish else ",", dtype=str, keep_default_na=False)
    for column in table.columns.intersection(["series_no", "session_no", *SCORES, "longest_mm", "widest_mm"]):
        decimals = table[column].str.replace(",", ".") if is_danish else table[column]
        table[column] = pd.to_numeric(decimals)
    return table


def headline(path):
    """The headline as the manifest chooses it; scores, their decreases, and remission by patient at follow-up."""
    chosen = json.loads(path.with_name("manifest.json").read_text(encoding="utf-8"))["selection"]
    with zipfile.ZipFile(path) as archive:
        names = ("analysis", "sessions", "series_lesions", "session_lesions")
        analysis, sessions, lesions, seen = (read_sheet(archive, name) for name in names)
    analysed = analysis.loc[analysis["analysed"] == "yes", SERIES]
    sessions = sessions.merge(analysed).sort_values([*SERIES, "held_on", "session_no"])
    treatments = sessions[sessions["kind"] == "treatment"]
    outcomes = {
        horizon: lesion_outcomes(analysed, counted, lesions, seen)
        for horizon, counted in {"end_of_treatment": treatments, "follow_up": sessions}.items()
    }
    members = members_of(outcomes[chosen["horizon"]], chosen["unit"])
    followed = [outcome for _patient, outcome in members_of(outcomes["follow_up"], "patient")]
    return {
        "unit": chosen["unit"],
        "horizon": chosen["horizon"],
        "headline": {
            **{score: mean_decrease(treatments, score, chosen["unit"]) for score in SCORES},
            **{name: share(members, inside, chosen["unit"]) for name, inside in IN_REMISSION.items()},
        },
        "scores": {score: score_times(treatments, score) for score in SCORES},
        "change": {score: score_changes(treatments, score) for score in SCORES},
        "remission_by_patient": {code: followed.count(code) for code in OUTCOMES},
    }


def mean_decrease(treatments, score, unit):
    """The mean decrease to the last treatment, by Student's t; a patient's is the mean of the patient's series."""
    wide = times_of(treatments, score)
    decreases = (wide["before_1"] - wide["last"]).dropna() if len(wide.columns) else pd.Series(dtype=float)
    if unit == "patient" and len(decreases):
        decreases = decreases.groupby(level="patient_id").mean()
    n = len(decreases)
    found = {"n": n, "value": float(decreases.mean()) if n else None, "low": None, "high": None, "p": None}
    if decreases.nunique() > 1:
        half = stats.t.ppf(0.975, n - 1) * decreases.std() / math.sqrt(n)
        found |= {"low": found["value"] - half, "high": found["value"] + half}
        found["p"] = float(stats.ttest_1samp(decreases, 0.0).pvalue)
    return found


def share(members, inside, unit):
    """The share (0 to 1) of those in remission; its interval is Wilson's for patients, else a bootstrap over them."""
    events = sum(outcome in inside for _patient, outcome in members)
    if unit == "patient":
        interval = wilson(events, len(members))
    else:
        by_patient: dict[str, list[str]] = {}
        for patient, outcome in members:
            by_patient.setdefault(patient, []).append(outcome)
        counted = [tuple(one.count(outcome) for outcome in OUTCOMES) for one in by_patient.values()]
        interval = bootstrap(counted, [outcome in inside for outcome in OUTCOMES])
    low, high = interval or (None, None)
    return {
        "n": len(members),
        "value": events / len(members) if members else None,
        "low": low,
        "high": high,
        "p": None,
    }


def wilson(events, total):
    """Wilson's score interval of 95%; None of nothing."""
    if not total:
        return None
    of, square = events / total, Z95 * Z95
    middle = (of + square / (2 * total)) / (1 + square / total)
    half = Z95 * math.sqrt(of * (1 - of) / total + square / (4 * total * total)) / (1 + square / total)
    return (0.0 if not events else middle - half), (1.0 if events == total else middle + half)


def bootstrap(patients, inside):
    """Percentiles of 4000 draws of patients, each with all that is theirs, with the report's seed.

    Of each patient it takes how many have each outcome, and of each outcome whether it is counted.
    """
    rows, n, generator = sorted(patients), len(patients), np.random.default_rng(SEED)
    table = np.array(rows, dtype=float)
    if n < 2 or not 0 < table[:, inside].sum() < table.sum():
        return None
    different = Counter(rows)
    if len(different) * ALIKE <= n:
        # Patients with the same row cannot be told apart: how often each row is drawn is multinomial.
        chances = np.array(list(different.values())) / n
        sums = generator.multinomial(n, chances, size=DRAWS) @ np.array(list(different), dtype=float)
    else:
        drawn = (generator.integers(n, size=n) for _ in range(DRAWS))
        sums = np.array([np.bincount(one, minlength=n) @ table for one in drawn])
    shares = sums[:, inside].sum(axis=1) / sums.sum(axis=1)
    return tuple(float(one) for one in np.percentile(shares, (2.5, 97.5)))


def times_of(treatments, score):
    """The score of each series before each treatment, and at its last: one column for each time."""
    if treatments.empty:
        return pd.DataFrame()
    number = treatments.groupby(SERIES).cumcount() + 1
    wide = treatments.assign(time=number).pivot(index=SERIES, columns="time", values=score)
    wide.columns = [f"before_{time}" for time in wide.columns]
    return wide.assign(last=treatments.groupby(SERIES)[score].nth(-1).set_axis(wide.index))


def score_times(treatments, score):
    """n, mean, standard deviation and median at each time."""
    return [{"time": time, **describe(scores)} for time, scores in times_of(treatments, score).items()]


def score_changes(treatments, score):
    """The same of the decrease from before the first treatment; positive is better."""
    wide = times_of(treatments, score)
    changes = []
    for time in wide.columns[1:]:
        told = describe(wide["before_1"] - wide[time])
        renamed = {"mean": "mean_decrease", "median": "median_decrease"}
        changes.append({"to": time, **{renamed.get(name, name): value for name, value in told.items()}})
    return changes


def describe(values):
    """None where there are too few values."""
    values = values.dropna()
    numbers = {"mean": values.mean(), "sd": values.std(), "median": values.median()}
    return {"n": len(values), **{name: None if pd.isna(one) else float(one) for name, one in numbers.items()}}


def lesion_outcomes(analysed, sessions, lesions, seen):
    """The outcomes of the lesions of each analysed series, from these sessions."""
    order = sessions.assign(order=range(len(sessions)))[[*SERIES, "session_no", "order"]]
    seen = seen.merge(order).sort_values("order")
    seen_by_lesion = dict(list(seen.groupby([*SERIES, "lesion_id"])))
    ptga = {key: list(scores) for key, scores in sessions.groupby(SERIES)["ptga"]}
    lesions_of = {key: list(ids) for key, ids in lesions.groupby(SERIES)["lesion_id"]}
    found = {}
    for key in analysed.itertuples(index=False, name=None):
        decreased = ptga_decreased(ptga.get(key, []))
        found[key] = [
            lesion_outcome(seen_by_lesion.get((*key, lesion)), decreased)
            for lesion in lesions_of.get(key, [])
        ]
    return found


def members_of(outcomes, unit):
    """Who or what is counted, as pairs of patient and outcome: the best lesion of a series or of a patient."""
    if unit == "lesion":
        return [(patient, one) for (patient, _number), found in outcomes.items() for one in found]
    of_series = [(patient, best(found)) for (patient, _number), found in outcomes.items()]
    if unit == "series":
        return of_series
    by_patient: dict[str, list[str]] = {}
    for patient, outcome in of_series:
        by_patient.setdefault(patient, []).append(outcome)
    return [(patient, best(found)) for patient, found in by_patient.items()]


def ptga_decreased(scores):
    """Whether the last score after the first session is lower; None where one of them is not known."""
    later = [score for score in scores[1:] if pd.notna(score)]
    if not later or pd.isna(scores[0]):
        return None
    return bool(later[-1] < scores[0])


def lesion_outcome(seen, decreased):
    """The outcome of one lesion, from its assessments in order; what is not known stays unknown."""
    rows = [] if seen is None else seen.to_dict("records")
    start = next((index for index, row in enumerate(rows) if row["status"] == "present"), None)
    if start is None or start == len(rows) - 1:
        return "not_evaluable"
    baseline, end = rows[start], rows[-1]
    if end["status"] == "gone":
        return "complete"
    better = any_true(ulcer_healed(baseline["ulcer"], end["ulcer"]), smaller(baseline, end))
    found = all_true(decreased, better)
    return "not_evaluable" if found is None else "partial" if found else "none"


def ulcer_healed(before, after):
    """Nothing can heal where there was no ulcer."""
    if before == "no":
        return False
    return None if "" in (before, after) else after == "no"


def smaller(before, after):
    """Longest × widest fell."""
    sizes = [row["longest_mm"] * row["widest_mm"] for row in (before, after)]
    return None if pd.isna(sizes).any() else bool(sizes[1] < sizes[0])


def all_true(*facts):
    """One false decides, whatever is unknown."""
    return False if False in facts else None if None in facts else True


def any_true(*facts):
    """One true decides, whatever is unknown."""
    return True if True in facts else None if None in facts else False


def best(outcomes):
    """Complete, else partial, else not evaluable if any is, else none."""
    found = set(outcomes)
    order = ("complete", "partial", "not_evaluable")
    return next((one for one in order if one in found), "none" if found else "not_evaluable")


def show(found):
    """The tables."""
    print(f"Headline: {UNITS[found['unit']]}, {HORIZONS[found['horizon']]}")
    print(f"  {'':<34}{'n':>5}{'value':>9}{'95% CI':>18}{'p':>10}")
    for measure, words in MEASURES.items():
        one, places, by = found["headline"][measure], *((2, 1) if measure in SCORES else (1, 100))
        value, low, high = (
            "" if one[x] is None else f"{by * one[x]:.{places}f}" for x in ("value", "low", "high")
        )
        p = "" if one["p"] is None else "< 0.001" if one["p"] < 0.001 else f"{one['p']:.3f}"
        print(f"  {words:<34}{one['n']:>5}{value:>9}{f'{low} to {high}' if low else '':>18}{p:>10}")
    for score, words in SCORES.items():
        print(f"{words:<28}{'n':>5}{'mean':>9}{'SD':>8}{'decrease':>11}{'SD':>8}")
        changes = {change["to"]: change for change in found["change"][score]}
        for row in found["scores"][score]:
            change = changes.get(row["time"], {})
            cells = (row["mean"], row["sd"], change.get("mean_decrease"), change.get("sd"))
            texts = ["" if cell is None else f"{cell:.2f}" for cell in cells]
            print(f"  {row['time']:<26}{row['n']:>5}{texts[0]:>9}{texts[1]:>8}{texts[2]:>11}{texts[3]:>8}")
    print("Remission by patient, at follow-up")
    for code, words in OUTCOMES.items():
        print(f"  {words:<26}{found['remission_by_patient'][code]:>5}")


if __name__ == "__main__":
    result = headline(Path(__file__).with_name("sheets.zip"))
    if "--json" in sys.argv[1:]:
        print(json.dumps(result, indent=2))
    else:
        show(result)
