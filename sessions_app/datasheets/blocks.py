"""The rows of a file a block of patients at a time: whatever rows refer to each other are of one patient.

So no more of a file than its texts, and one block as values, is ever in memory.
"""

from array import array
from collections.abc import Iterator
from itertools import chain, groupby, repeat

from sessions_app.datasheets.columns import SHEETS
from sessions_app.datasheets.raw import RawSheet, RawSheets

MOST_PATIENTS = 100
"""Patients of one block."""

FIRST_PATIENTS = 20
"""Patients of the first of several blocks: it is soon checked, and the database has work while the next one is."""

MOST_ROWS = 10_000
"""Rows of one block, unless one patient has more."""

Places = dict[str, list[int]]
"""By sheet: where its rows stand among all of the sheet, counted from 0, in their order."""


def blocks(raw: RawSheets) -> Iterator[Places]:
    """All rows, each once and those of a patient together, in the order in which the patients come."""
    stretches = {name: _by_patient(raw.sheets[name]) for name in SHEETS if name in raw.sheets}
    everybody = dict.fromkeys(chain.from_iterable(stretches.values()))
    block: Places = {}
    patients = rows = 0
    most = FIRST_PATIENTS if len(everybody) > MOST_PATIENTS > FIRST_PATIENTS else MOST_PATIENTS
    for patient in everybody:
        found = _rows_of(patient, stretches)
        count = sum(map(len, found.values()))
        if block and (patients == most or rows + count > MOST_ROWS):
            yield _in_order(block)
            block, patients, rows, most = {}, 0, 0, MOST_PATIENTS
        for name, places in found.items():
            block.setdefault(name, []).extend(places)
        patients, rows = patients + 1, rows + count
    if block:
        yield _in_order(block)


def block_around(raw: RawSheets, sheet: str, at: int) -> Places:
    """All rows of the patient of this row."""
    stretches = {name: _by_patient(found) for name, found in raw.sheets.items()}
    patient = next(one for one, places in stretches[sheet].items() if at in _places(places))
    return _rows_of(patient, stretches)


def _by_patient(sheet: RawSheet) -> dict[object, array]:
    """Where the rows of each patient begin and end, as often as they do; an ID is one whatever its capitals.

    Rows without an ID belong to no other row, and so to a patient of their own.
    """
    rows = range(len(sheet.numbers))
    texts = sheet.texts("patient_id", rows) if "patient_id" in sheet.columns else repeat("", len(rows))
    found: dict[object, array] = {}
    start = 0
    for text, stretch in groupby(texts):
        stop = start + sum(1 for _ in stretch)
        if patient := (text or "").strip().lower():
            found.setdefault(patient, array("I")).extend((start, stop))
        else:
            for first in range(start, stop, MOST_ROWS):
                found[first] = array("I", (first, min(first + MOST_ROWS, stop)))
        start = stop
    return found


def _rows_of(patient: object, stretches: dict[str, dict[object, array]]) -> Places:
    return {name: _places(found[patient]) for name, found in stretches.items() if patient in found}


def _in_order(block: Places) -> Places:
    return {name: sorted(places) for name, places in block.items()}


def _places(bounds: array) -> list[int]:
    return [*chain.from_iterable(map(range, bounds[::2], bounds[1::2]))]
