"""The template workbook: empty sheets to fill in, lists to choose from, units, and a worked example.

Its further worksheets (guide, example, codes) explain the sheets; when the workbook comes back they are
not read.
"""

from typing import Any, BinaryIO

from sessions_app.datasheets.columns import KINDS, SHEETS, Column, Sheet
from sessions_app.datasheets.exporting import CREATED
from sessions_app.datasheets.raw import CODES, EXAMPLE, GUIDE
from sessions_app.datasheets.values import valid_words

ROWS = 5_000
"""Rows of each sheet that have the lists to choose from."""

_LONGEST_TITLE, _LONGEST_PROMPT = 32, 255
_NUMBERS = frozenset({"whole", "decimal"})

_ONE = {"patient_id": "EX-1"}
_SERIES = {**_ONE, "series_no": "1"}
_FIRST = {**_SERIES, "session_no": "1"}
_SECOND = {**_SERIES, "session_no": "2"}
_SEEN = {"lesion_id": "L1", "size_source": "measured", "ulcer": "no", "inflammation": "no"}
_STS = {
    "lesion_id": "L1", "agent": "sts", "concentration_mg_ml": "150", "technique": "base",
    "anaesthesia": "none", "salt_form": "pentahydrate", "dressing": "pressure_plaster",
}  # fmt: skip

EXAMPLE_ROWS: dict[str, list[dict[str, str]]] = {
    "patients": [
        {
            **_ONE, "clinic": "north", "sex": "female", "birth_year": "1961", "diagnosis": "lcssc",
            "raynaud": "yes", "sts_hypersensitivity": "no", "pregnant": "no", "breast_feeding": "no",
            "lesion_count": "2", "offered_on": "2026-01-05", "consented_on": "2026-01-05",
        }
    ],
    "medications": [{**_ONE, "name": "bosentan", "role": "vasodilator", "dose": "125 mg twice", "started_on": "2019-06"}],
    "prior_treatments": [{**_ONE, "lesion_id": "L1", "treatment": "surgery", "started_on": "2018", "response": "partial"}],
    "lesions": [
        {
            **_ONE, "lesion_id": "L1", "body_site": "index_finger", "laterality": "left", "site_detail": "pulp",
            "lesion_type": "nodule", "subtype": "dystrophic", "onset_on": "2016-03", "pain_vas": "6", "dysfunction": "yes",
        },
        {
            **_ONE, "lesion_id": "L2", "body_site": "elbow", "laterality": "right", "lesion_type": "plaque",
            "subtype": "dystrophic", "pain_vas": "4.5", "dysfunction": "no",
        },
    ],
    "series": [{**_SERIES, "protocol": "weekly4", "started_on": "2026-01-12", "status": "active"}],
    "series_lesions": [{**_SERIES, "lesion_id": "L1"}],
    "sessions": [
        {**_FIRST, "kind": "treatment", "held_on": "2026-01-12", "ptga": "8", "phga": "7", "performed_by": "KL"},
        {**_SECOND, "kind": "treatment", "held_on": "2026-01-19", "ptga": "6", "phga": "6", "performed_by": "KL"},
    ],
    "session_lesions": [
        {**_FIRST, **_SEEN, "status": "present", "longest_mm": "12", "widest_mm": "8"},
        {**_SECOND, **_SEEN, "status": "present", "longest_mm": "9.5", "widest_mm": "7"},
    ],
    "injections": [
        {**_FIRST, **_STS, "volume_ml": "0.35", "pain_vas": "5"},
        {**_SECOND, **_STS, "volume_ml": "0.3", "pain_vas": "4"},
    ],
    "infusions": [],
    "side_effects": [
        {
            **_FIRST, "lesion_id": "L1", "term": "skin_discolouration", "grade": "1", "ctcae_version": "5.0",
            "onset_on": "2026-01-14", "resolved_on": "2026-01-18", "serious": "no", "causality": "probable",
            "action": "none", "outcome": "recovered",
        }
    ],
}  # fmt: skip
"""One invented patient: two sessions of a series, with everything that is usual at them."""


def write_template(stream: BinaryIO) -> None:
    """Write the workbook: the empty sheets first, then what explains them."""
    import xlsxwriter

    options = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    workbook = xlsxwriter.Workbook(stream, options)
    workbook.set_properties({"created": CREATED})
    lists = _Codes()
    for sheet in SHEETS.values():
        _write_sheet(workbook, sheet, lists)
    _write_guide(workbook)
    _write_example(workbook)
    lists.write(workbook)
    workbook.close()


class _Codes:
    """The worksheet of codes: a column for each vocabulary, to which the lists refer."""

    def __init__(self) -> None:
        self._columns: dict[tuple[str, ...], tuple[int, str]] = {}
        self._words: list[dict[str, str]] = []

    def source(self, column: Column) -> str:
        """Where the codes of a column stand, as a reference."""
        from xlsxwriter.utility import xl_range_abs

        assert column.vocabulary
        codes = tuple(column.vocabulary)
        if codes not in self._columns:
            self._columns[codes] = (len(self._columns) * 2, column.label)
            self._words.append(dict(column.vocabulary))
        at, _label = self._columns[codes]
        return f"={CODES}!{xl_range_abs(1, at, len(codes), at)}"

    def write(self, workbook: Any) -> None:
        worksheet = workbook.add_worksheet(CODES)
        bold = workbook.add_format({"bold": True})
        worksheet.freeze_panes(1, 0)
        for (at, label), words in zip(self._columns.values(), self._words, strict=True):
            worksheet.set_column(at, at + 1, 24)
            worksheet.write_string(0, at, label, bold)
            for number, (code, meaning) in enumerate(words.items(), start=1):
                worksheet.write_string(number, at, code)
                worksheet.write_string(number, at + 1, meaning)


def _write_sheet(workbook: Any, sheet: Sheet, lists: _Codes) -> None:
    worksheet = workbook.add_worksheet(sheet.name)
    worksheet.freeze_panes(1, 0)
    as_text = workbook.add_format({"num_format": "@"})
    optional, required = (
        workbook.add_format({"bold": True}),
        workbook.add_format({"bold": True, "underline": 1}),
    )
    for index, column in enumerate(sheet.columns):
        worksheet.set_column(
            index, index, max(10, len(column.name) + 2), None if column.kind in _NUMBERS else as_text
        )
        worksheet.write_string(0, index, column.name, required if column.required else optional)
        worksheet.write_comment(0, index, _explained(column), {"x_scale": 2, "y_scale": 1.5})
        worksheet.data_validation(1, index, ROWS, index, _validation(column, lists))


def _explained(column: Column) -> str:
    parts = [
        f"{column.label}: {column.meaning}",
        f"Unit: {column.unit}" if column.unit else "",
        valid_words(column),
    ]
    return "\n".join(filter(None, parts))


def _validation(column: Column, lists: _Codes) -> dict[str, Any]:
    """What Excel shows at a cell of the column, and what it takes."""
    title = f"{column.label} ({column.unit})" if column.unit else column.label
    shown = {
        "input_title": title[:_LONGEST_TITLE],
        "input_message": f"{column.meaning} {'Required.' if column.required else ''}".strip()[
            :_LONGEST_PROMPT
        ],
        "error_title": title[:_LONGEST_TITLE],
        "error_message": valid_words(column)[:_LONGEST_PROMPT],
    }
    if column.kind in ("code", "yes_no"):
        return shown | {"validate": "list", "source": lists.source(column)}
    if column.kind in _NUMBERS:
        kind, number = ("integer", int) if column.kind == "whole" else ("decimal", float)
        span = {"minimum": number(column.low or 0), "maximum": number(column.high or 0)}
        return shown | {"validate": kind, "criteria": "between"} | span
    return shown | {"validate": "any"}


def _write_guide(workbook: Any) -> None:
    worksheet = workbook.add_worksheet(GUIDE)
    bold = workbook.add_format({"bold": True})
    worksheet.freeze_panes(1, 0)
    for index, (heading, width) in enumerate(_GUIDE_COLUMNS.items()):
        worksheet.set_column(index, index, width)
        worksheet.write_string(0, index, heading, bold)
    number = 0
    for sheet in SHEETS.values():
        for column in sheet.columns:
            number += 1
            needed = "key, required" if column.is_key and column.required else "key" if column.is_key else ""
            needed = needed or ("required" if column.required else "")
            texts = (
                sheet.name,
                column.name,
                needed,
                column.unit,
                column.meaning,
                KINDS[column.kind],
                valid_words(column),
            )
            for index, text in enumerate(texts):
                worksheet.write_string(number, index, text)


_GUIDE_COLUMNS = {
    "Sheet": 18, "Column": 30, "Needed": 14, "Unit": 8, "Meaning": 60, "Kind": 40, "What is valid": 80,
}  # fmt: skip


def _write_example(workbook: Any) -> None:
    """The worked example: each sheet with its columns and rows, one below the other."""
    worksheet = workbook.add_worksheet(EXAMPLE)
    bold, title = workbook.add_format({"bold": True}), workbook.add_format({"bold": True, "font_size": 13})
    worksheet.set_column(0, 25, 16)
    words = "One invented patient. Copy nothing from here: it is not read."
    worksheet.write_string(0, 0, words)
    number = 2
    for name, rows in EXAMPLE_ROWS.items():
        worksheet.write_string(number, 0, f"{name}: {SHEETS[name].meaning}", title)
        number += 1
        for index, column in enumerate(SHEETS[name].columns):
            worksheet.write_string(number, index, column.name, bold)
        for row in rows:
            number += 1
            for index, column in enumerate(SHEETS[name].columns):
                text = row.get(column.name, "")
                if text and column.kind in _NUMBERS:
                    worksheet.write_number(number, index, float(text))
                elif text:
                    worksheet.write_string(number, index, text)
        number += 2
