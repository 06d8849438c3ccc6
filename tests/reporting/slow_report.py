"""A second, slow and obvious implementation of the report, straight from the data sheets.

It reads rows of text and shares no code with the project. Where the project makes one pass,
this looks everything up again and again; it is here to be believed, not to be used.
"""

import calendar
import datetime
import math
import statistics
from fractions import Fraction

from scipy import stats


def slow_report(sheets, plans, clinics=(), protocols=(), diagnoses=(), first_from=None, first_to=None):
    """The report object from {sheet: [row of text]}; `plans` is {protocol: (planned treatments, has arms)}."""
    world = World(sheets, plans, clinics, protocols, diagnoses, first_from, first_to)
    return {
        "cohort": world.cohort(),
        "scores": {scale: world.scores(scale) for scale in ("ptga", "phga")},
        "change": {scale: world.changes(scale) for scale in ("ptga", "phga")},
        "remission": {
            "end_of_treatment": world.remission(treatments_only=True),
            "follow_up": world.remission(treatments_only=False),
        },
        "ulcers": world.ulcers(),
        "side_effects": world.side_effects(),
        "controlled": world.controlled(),
    }


def day(text):
    return datetime.date.fromisoformat(text)


def plus_one_month(date):
    month = date.month + 1
    year = date.year
    if month == 13:
        month, year = 1, year + 1
    last = calendar.monthrange(year, month)[1]
    return datetime.date(year, month, last if date.day > last else date.day)


class World:
    def __init__(self, sheets, plans, clinics, protocols, diagnoses, first_from, first_to):
        self.sheets = sheets
        self.plans = plans
        self.picking = bool(protocols) or first_from is not None or first_to is not None
        people = [
            row
            for row in sheets["patients"]
            if (row["clinic"] in clinics or not clinics) and (row["diagnosis"] in diagnoses or not diagnoses)
        ]
        ids = [row["patient_id"] for row in people]
        self.series = []
        for row in sheets["series"]:
            if row["patient_id"] not in ids:
                continue
            if protocols and row["protocol"] not in protocols:
                continue
            treatments = self.treatments(row)
            if first_from is not None or first_to is not None:
                if not treatments:
                    continue
                began = day(treatments[0]["held_on"])
                if first_from is not None and began < first_from:
                    continue
                if first_to is not None and began > first_to:
                    continue
            self.series.append(row)
        if self.picking:
            people = [row for row in people if any(s["patient_id"] == row["patient_id"] for s in self.series)]
        self.people = people
        self.analysed_series = [series for series in self.series if self.fate(series) == "analysed"]

    # Looking things up

    def sessions(self, series):
        found = [
            row
            for row in self.sheets["sessions"]
            if row["patient_id"] == series["patient_id"] and row["series_no"] == series["series_no"]
        ]
        return sorted(found, key=lambda row: (row["held_on"], int(row["session_no"])))

    def treatments(self, series):
        return [row for row in self.sessions(series) if row["kind"] == "treatment"]

    def lesions(self, series):
        return [
            row
            for row in self.sheets["series_lesions"]
            if row["patient_id"] == series["patient_id"] and row["series_no"] == series["series_no"]
        ]

    def seen(self, sessions, lesion_id):
        found = []
        for session in sessions:
            for row in self.sheets["session_lesions"]:
                if same_session(row, session) and row["lesion_id"] == lesion_id:
                    found.append(row)
        return found

    def injections(self, session):
        return [row for row in self.sheets["injections"] if same_session(row, session)]

    # Which series are analysed

    def fate(self, series):
        treatments = self.treatments(series)
        if not treatments:
            return "no_treatment"
        if not self.finished(series):
            return "incomplete"
        for treatment in (treatments[0], treatments[-1]):
            if treatment["ptga"] == "" or treatment["phga"] == "":
                return "insufficient_registration"
        analysed = []
        for other in self.in_order_of_first_treatment(series["patient_id"]):
            fate = self.fate_beside(other, analysed)
            if other is series:
                return fate
            if fate == "analysed":
                analysed.append(other)
        raise AssertionError("a remaining series is not in its own list")

    def finished(self, series):
        count = len(self.treatments(series))
        planned = self.plans[series["protocol"]][0]
        if count < 2:
            return False
        if series["status"] == "completed":
            return planned is None or count >= planned
        return series["status"] == "stopped" and series["stop_reason"] in (
            "complete_remission",
            "sufficient_partial_remission",
        )

    def in_order_of_first_treatment(self, patient_id):
        remaining = []
        for series in self.series:
            if series["patient_id"] != patient_id or not self.finished(series):
                continue
            ends = (self.treatments(series)[0], self.treatments(series)[-1])
            if all(session["ptga"] and session["phga"] for session in ends):
                remaining.append(series)
        return sorted(remaining, key=lambda s: (self.treatments(s)[0]["held_on"], int(s["series_no"])))

    def fate_beside(self, series, analysed):
        mine = {row["lesion_id"] for row in self.lesions(series)}
        for earlier in analysed:
            if mine & {row["lesion_id"] for row in self.lesions(earlier)}:
                return "same_lesions"
        if analysed:
            last = day(self.treatments(analysed[-1])[-1]["held_on"])
            if day(self.treatments(series)[0]["held_on"]) < plus_one_month(last):
                return "too_close"
        return "analysed"

    # The parts of the report

    def cohort(self):
        fates = [self.fate(series) for series in self.series]
        injected = []
        sessions = 0
        for series in self.series:
            sessions += len(self.treatments(series))
            for session in self.sessions(series):
                if self.injections(session):
                    injected.append(len(self.injections(session)))
        treated = {series["patient_id"] for series in self.series if self.treatments(series)}
        analysed = {series["patient_id"] for series in self.analysed_series}
        patients = [row for row in self.people if row["patient_id"] in analysed]
        return {
            "patients_offered": len(self.people),
            "patients_treated": len(treated),
            "treatment_sessions": sessions,
            "injections": sum(injected),
            "lesions_per_session": {"min": min(injected), "max": max(injected)} if injected else None,
            "series_analysed": fates.count("analysed"),
            "patients_analysed": len(analysed),
            "left_out": tally(fate for fate in fates if fate != "analysed"),
            "analysed_by_sex": tally(row["sex"] for row in patients),
            "analysed_by_diagnosis": tally(row["diagnosis"] for row in patients),
        }

    def score_at(self, series, time, scale):
        treatments = self.treatments(series)
        if time == "last":
            text = treatments[-1][scale]
        else:
            number = int(time.split("_")[1])
            text = treatments[number - 1][scale] if number <= len(treatments) else ""
        return int(text) if text else None

    def times(self):
        if not self.analysed_series:
            return []
        longest = max(len(self.treatments(series)) for series in self.analysed_series)
        return [f"before_{number}" for number in range(1, longest + 1)] + ["last"]

    def scores(self, scale):
        rows = []
        for time in self.times():
            values = [self.score_at(series, time, scale) for series in self.analysed_series]
            values = [value for value in values if value is not None]
            rows.append(
                {
                    "time": time,
                    "n": len(values),
                    "mean": statistics.mean(values) if values else None,
                    "sd": statistics.stdev(values) if len(values) > 1 else None,
                    "median": statistics.median(values) if values else None,
                }
            )
        return rows

    def changes(self, scale):
        rows = []
        for time in self.times()[1:]:
            first, later = [], []
            for series in self.analysed_series:
                a, b = self.score_at(series, "before_1", scale), self.score_at(series, time, scale)
                if a is not None and b is not None:
                    first.append(a)
                    later.append(b)
            decrease = [a - b for a, b in zip(first, later, strict=True)]
            row = {
                "from": "before_1",
                "to": time,
                "n": len(decrease),
                "mean_decrease": statistics.mean(decrease) if decrease else None,
                "sd": statistics.stdev(decrease) if len(decrease) > 1 else None,
                "median_decrease": statistics.median(decrease) if decrease else None,
                "ci95": None,
                "t": None,
                "df": None,
                "p_t": None,
                "p_wilcoxon": None,
            }
            if len(decrease) > 1 and statistics.stdev(decrease) > 0:
                n = len(decrease)
                error = statistics.stdev(decrease) / math.sqrt(n)
                t = statistics.mean(decrease) / error
                reach = stats.t.isf(0.025, n - 1) * error
                row["ci95"] = [statistics.mean(decrease) - reach, statistics.mean(decrease) + reach]
                row["t"] = t
                row["df"] = n - 1
                row["p_t"] = 2 * stats.t.sf(abs(t), n - 1)
                row["p_wilcoxon"] = stats.wilcoxon(first, later).pvalue
            rows.append(row)
        return rows

    def lesion_outcome(self, series, lesion_id, treatments_only):
        sessions = self.treatments(series) if treatments_only else self.sessions(series)
        seen = self.seen(sessions, lesion_id)
        baseline = next((number for number, row in enumerate(seen) if row["status"] == "present"), None)
        if baseline is None or baseline == len(seen) - 1:
            return "not_evaluable"
        before, end = seen[baseline], seen[-1]
        if end["status"] == "gone":
            return "complete"

        later = [row["ptga"] for row in sessions[1:] if row["ptga"]]
        if not sessions[0]["ptga"] or not later:
            decreased = "unknown"
        else:
            decreased = "true" if int(later[-1]) < int(sessions[0]["ptga"]) else "false"

        if before["ulcer"] == "no":
            healed = "false"
        elif before["ulcer"] == "" or end["ulcer"] == "":
            healed = "unknown"
        else:
            healed = "true" if end["ulcer"] == "no" else "false"

        if "" in (before["longest_mm"], before["widest_mm"], end["longest_mm"], end["widest_mm"]):
            smaller = "unknown"
        else:
            smaller = "true" if product(end) < product(before) else "false"

        if decreased == "false" or (healed == "false" and smaller == "false"):
            return "none"
        if decreased == "true" and (healed == "true" or smaller == "true"):
            return "partial"
        return "not_evaluable"

    def series_outcome(self, series, treatments_only):
        lesions = [row["lesion_id"] for row in self.lesions(series)]
        return best([self.lesion_outcome(series, lesion, treatments_only) for lesion in lesions])

    def patient_outcome(self, patient_id, treatments_only):
        mine = [series for series in self.analysed_series if series["patient_id"] == patient_id]
        return best([self.series_outcome(series, treatments_only) for series in mine])

    def remission(self, treatments_only):
        analysed = self.analysed_series
        patients = sorted({series["patient_id"] for series in analysed})
        return {
            "by_lesion": four(
                self.lesion_outcome(series, row["lesion_id"], treatments_only)
                for series in analysed
                for row in self.lesions(series)
            ),
            "by_series": four(self.series_outcome(series, treatments_only) for series in analysed),
            "by_patient": four(self.patient_outcome(patient, treatments_only) for patient in patients),
        }

    def ulcers(self):
        with_ulcer, not_healed = set(), set()
        for series in self.analysed_series:
            for lesion in self.lesions(series):
                seen = self.seen(self.treatments(series), lesion["lesion_id"])
                present = [row for row in seen if row["status"] == "present"]
                if present and present[0]["ulcer"] == "yes":
                    with_ulcer.add(series["patient_id"])
                    if not (seen[-1]["status"] == "gone" or seen[-1]["ulcer"] == "no"):
                        not_healed.add(series["patient_id"])
        return {
            "patients_with_ulcer": len(with_ulcer),
            "patients_all_healed": len(with_ulcer - not_healed),
        }

    def side_effects(self):
        rows = []
        for row in self.sheets["side_effects"]:
            if self.picking:
                series = [(one["patient_id"], one["series_no"]) for one in self.series]
                counts = (row["patient_id"], row["series_no"]) in series
            else:
                counts = row["patient_id"] in [one["patient_id"] for one in self.people]
            if counts:
                rows.append(row)
        return [
            {
                "term": term,
                "events": len([row for row in rows if row["term"] == term]),
                "patients": len({row["patient_id"] for row in rows if row["term"] == term}),
            }
            for term in sorted({row["term"] for row in rows})
        ]

    def controlled(self):
        counted = [one for one in self.series if self.plans[one["protocol"]][1] and self.finished(one)]
        if not counted:
            return None
        found = []
        for series in counted:
            for lesion in self.lesions(series):
                seen = self.seen(self.sessions(series), lesion["lesion_id"])
                if len(seen) < 2 or lesion["arm"] == "":
                    continue
                before, end = size(seen[0]), size(seen[-1])
                percent = None
                if before is not None and end is not None and before != 0:
                    percent = 100 * (end - before) / before
                pains = [
                    Fraction(row["pain_vas"])
                    for session in self.sessions(series)
                    for row in self.injections(session)
                    if row["lesion_id"] == lesion["lesion_id"] and row["pain_vas"]
                ]
                found.append(
                    {
                        "subject": (series["patient_id"], int(series["series_no"])),
                        "arm": lesion["arm"],
                        "size_baseline": before,
                        "size_end": end,
                        "size_change_percent": percent,
                        "pains": pains,
                        **{
                            f"{score}_{when}": int(row[score]) if row[score] else None
                            for score in ("pga", "observer_pga")
                            for when, row in (("baseline", seen[0]), ("end", seen[-1]))
                        },
                    }
                )
        found.sort(key=lambda one: (one["subject"][0], one["arm"], one["subject"][1]))
        keys = ("pga_baseline", "pga_end", "observer_pga_baseline", "observer_pga_end")
        arms = {}
        for arm in ("active", "control"):
            mine = [one for one in found if one["arm"] == arm]
            arms[arm] = {
                "n": len(mine),
                "size_cm2_baseline": mean([one["size_baseline"] for one in mine]),
                "size_cm2_end": mean([one["size_end"] for one in mine]),
                "size_change_percent": mean([one["size_change_percent"] for one in mine]),
                "pain": mean([pain for one in mine for pain in one["pains"]]),
                **{key: mean([one[key] for one in mine]) for key in keys},
            }
        subjects = [
            {
                "patient_id": one["subject"][0],
                "arm": one["arm"],
                "size_change_percent": number(one["size_change_percent"]),
                **{key: one[key] for key in keys},
            }
            for one in found
        ]
        tests = {what: test(found, what) for what in ("size_baseline", "size_end", "size_change_percent")}
        return {"arms": arms, "subjects": subjects, "tests": tests}


def same_session(row, session):
    return all(row[key] == session[key] for key in ("patient_id", "series_no", "session_no"))


def product(row):
    return Fraction(row["longest_mm"]) * Fraction(row["widest_mm"])


def size(row):
    if row["status"] == "gone":
        return Fraction(0)
    if row["longest_mm"] == "" or row["widest_mm"] == "":
        return None
    return product(row) / 100


def test(found, what):
    active, control = [], []
    for subject in sorted({one["subject"] for one in found}):
        pair = {one["arm"]: one[what] for one in found if one["subject"] == subject}
        if pair.get("active") is not None and pair.get("control") is not None:
            active.append(pair["active"])
            control.append(pair["control"])
    differences = [a - b for a, b in zip(active, control, strict=True)]
    if len(differences) < 2 or all(one == differences[0] for one in differences):
        return None
    result = stats.ttest_rel([float(a) for a in active], [float(b) for b in control])
    return {"t": float(result.statistic), "df": len(differences) - 1, "p": float(result.pvalue)}


def best(outcomes):
    if "complete" in outcomes:
        return "complete"
    if "partial" in outcomes:
        return "partial"
    if "not_evaluable" in outcomes or not outcomes:
        return "not_evaluable"
    return "none"


def four(outcomes):
    outcomes = list(outcomes)
    return {name: outcomes.count(name) for name in ("complete", "partial", "none", "not_evaluable")}


def tally(values):
    values = list(values)
    return {value: values.count(value) for value in values}


def mean(values):
    values = [Fraction(value) for value in values if value is not None]
    return float(sum(values) / len(values)) if values else None


def number(value):
    return None if value is None else float(value)
