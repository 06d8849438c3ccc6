"""The headline of the report, computed again from the exported sheets. Needs Python 3.11 and pandas.

    python headline.py            prints the table
    python headline.py --json     prints the numbers in full precision

It reads sheets.zip beside this file: which series are analysed stands in the sheet analysis, since a
calendar month does not survive shifted days; everything else is computed here. The rules are in codebook.html
and in the report's footnotes.
"""

import io
import json
import sys
import zipfile
from pathlib import Path

import pandas as pd

SCORES = {"ptga": "PtGA", "phga": "PhGA"}
OUTCOMES = {
    "complete": "Complete remission",
    "partial": "Partial remission",
    "none": "No remission",
    "not_evaluable": "Not evaluable",
}
SERIES = ["patient_id", "series_no"]


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
    """Scores, their decreases, and remission by patient at follow-up, as the report's JSON names them."""
    with zipfile.ZipFile(path) as archive:
        names = ("analysis", "sessions", "series_lesions", "session_lesions")
        analysis, sessions, lesions, seen = (read_sheet(archive, name) for name in names)
    analysed = analysis.loc[analysis["analysed"] == "yes", SERIES]
    sessions = sessions.merge(analysed).sort_values([*SERIES, "held_on", "session_no"])
    treatments = sessions[sessions["kind"] == "treatment"]
    by_patient: dict[str, list[str]] = {}
    for (patient, _number), outcome in series_outcomes(analysed, sessions, lesions, seen).items():
        by_patient.setdefault(patient, []).append(outcome)
    remission = [best(outcomes) for outcomes in by_patient.values()]
    return {
        "scores": {score: score_times(treatments, score) for score in SCORES},
        "change": {score: score_changes(treatments, score) for score in SCORES},
        "remission_by_patient": {code: remission.count(code) for code in OUTCOMES},
    }


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


def series_outcomes(analysed, sessions, lesions, seen):
    """The outcome of each analysed series at follow-up: the best of its lesions."""
    order = sessions.assign(order=range(len(sessions)))[[*SERIES, "session_no", "order"]]
    seen = seen.merge(order).sort_values("order")
    seen_by_lesion = dict(list(seen.groupby([*SERIES, "lesion_id"])))
    ptga = {key: list(scores) for key, scores in sessions.groupby(SERIES)["ptga"]}
    lesions_of = {key: list(ids) for key, ids in lesions.groupby(SERIES)["lesion_id"]}
    found = {}
    for key in analysed.itertuples(index=False, name=None):
        decreased = ptga_decreased(ptga.get(key, []))
        found[key] = best(
            lesion_outcome(seen_by_lesion.get((*key, lesion)), decreased)
            for lesion in lesions_of.get(key, [])
        )
    return found


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
    """The table."""
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
