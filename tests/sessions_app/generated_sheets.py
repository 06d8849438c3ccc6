"""Generated registries as data sheets that an import takes: every column, all options, odd texts."""

import random
from datetime import date, timedelta

from hypothesis import strategies as st

from sessions_app.datasheets.columns import SHEETS

TEXTS = [
    "=1+1",
    "@SUM(A1)",
    "001",
    "1e5",
    "http://x.org",
    " lead",
    'a "b", c',
    "two\nlines",
    "ß, é, 日本",
    "TRUE",
    "-",
]

FREE = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12)
ODD_TEXTS = st.one_of(FREE, st.sampled_from([*TEXTS, "a\nb", "'", '"', ",", ";", "\u00a0x"]))


class Generator:
    """Sound sheets, their cells by the definition of the columns. The seed shrinks; the texts are hypothesis'."""

    def __init__(self, seed, texts):
        self.random = random.Random(seed)
        self.texts = [text for text in texts if text.strip()] or ["x"]

    def cell(self, column):
        if not column.required and self.random.random() < 0.4:
            return ""
        choose = self.random
        if column.kind == "code":
            return choose.choice(list(column.vocabulary))
        if column.kind == "codes":
            return ";".join(choose.sample(list(column.vocabulary), 2))
        if column.kind == "yes_no":
            return choose.choice(["yes", "no"])
        if column.kind == "date":
            return (date(2020, 1, 1) + timedelta(days=choose.randrange(2000))).isoformat()
        if column.kind == "partial":
            return choose.choice(["2018", "2018-06", "2018-06-14", "1999-12-31"])
        if column.kind == "whole":
            return str(
                choose.choice(
                    [int(column.low), int(column.high), choose.randint(int(column.low), int(column.high))]
                )
            )
        if column.kind == "decimal":
            step = 10**column.places
            low = int(column.low * step) + (1 if column.above_low else 0)
            return f"{choose.choice([low, low + 7, int(column.high * step)]) / step:.{column.places}f}"
        return choose.choice(self.texts)[: column.max_length or None]

    def row(self, sheet, **known):
        row = {column.name: self.cell(column) for column in SHEETS[sheet].columns} | known
        return {name: str(value) for name, value in row.items()}

    def sheets(self):
        out: dict[str, list[dict[str, str]]] = {name: [] for name in SHEETS}
        for number in range(self.random.randint(0, 3)):
            self.patient(out, f"{self.random.choice('aAzZ.'[:4])}{number}")
        return out

    def patient(self, out, study_id):
        me = {"patient_id": study_id}
        patient = self.row("patients", **me, clinic=self.random.choice(["north", "south"]))
        patient["not_enrolled_reason"] = "" if patient["consented_on"] else patient["not_enrolled_reason"]
        patient["withdrawal_reason"] = patient["withdrawal_reason"] if patient["withdrawn_on"] else ""
        out["patients"].append(patient)
        lesions = [f"L{number}" for number in range(self.random.randint(0, 3))]
        out["lesions"] += [self.row("lesions", **me, lesion_id=lesion) for lesion in lesions]
        for name, lesion in (("medications", {}), ("prior_treatments", {"lesion_id": ""})):
            out[name].append(self.row(name, **me, **lesion))
        for number in range(1, self.random.randint(1, 3)):
            self.series(out, {**me, "series_no": number}, lesions)

    def series(self, out, me, lesions):
        code = self.random.choice(["weekly4", "placebo3", "longterm", "iv"])
        series = self.row("series", **me, protocol=code)
        series["stop_reason"] = (
            self.random.choice(["other", "disease_flare"]) if series["status"] == "stopped" else ""
        )
        out["series"].append(series)
        is_controlled = code == "placebo3"
        for lesion in lesions:
            arm = {} if is_controlled else {"arm": ""}
            out["series_lesions"].append(self.row("series_lesions", **me, lesion_id=lesion, **arm))
        day = date(2022, 1, 1)
        for number in range(1, self.random.randint(1, 12)):
            day += timedelta(days=self.random.choice([0, 1, 7, 40]))
            visit = {**me, "session_no": number}
            scores = {"ptga": "", "phga": ""} if is_controlled else {}
            out["sessions"].append(self.row("sessions", **visit, held_on=day, **scores))
            for lesion in lesions:
                self.seen(out, {**visit, "lesion_id": lesion}, is_controlled)
            if self.random.random() < 0.3:
                out["infusions"].append(self.row("infusions", **visit))
        where = {**me, "session_no": "", "lesion_id": ""}
        effect = self.row("side_effects", **where, term_detail="why", onset_on="2020-01-01", term="other")
        out["side_effects"].append(effect)

    def seen(self, out, where, is_controlled):
        scores = {} if is_controlled else {"pga": "", "observer_pga": ""}
        row = self.row("session_lesions", **where, **scores)
        if row["status"] == "gone":
            row |= dict.fromkeys(("longest_mm", "widest_mm", "size_source", "ulcer", "inflammation"), "")
        out["session_lesions"].append(row)
        given = self.row("injections", **where)
        if given["agent"] == "sts" and not given["concentration_mg_ml"]:
            given["concentration_mg_ml"] = "150"
        out["injections"].append(given)
