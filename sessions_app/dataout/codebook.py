"""The codebook: every variable with its label, unit, values and meaning, from the definitions that forms use."""

import csv
import io
from collections.abc import Iterator

from django.utils.html import format_html, format_html_join

from sessions_app.dataout.coding import is_coded, numbers, variable_label
from sessions_app.dataout.plan import AGE, OLDEST, Plan
from sessions_app.dataout.sas_formats import FORMATS_NAME
from sessions_app.datasheets.columns import KINDS, PRIVACY, Column, Sheet
from sessions_app.datasheets.values import valid_words
from sessions_app.selections import selection_facts
from stsclinic.clinical.numbers import show_decimal
from stsclinic.reporting.selection import CONCENTRATION_FOOTNOTE, LESIONS_FOOTNOTE

HEADINGS = (
    "sheet",
    "variable",
    "label",
    "unit",
    "type",
    "is_key",
    "valid",
    "values",
    "numbers",
    "meaning",
    "leaves",
)
"""The columns of the codebook. `numbers`: what stands for each code in the files of SPSS and Stata."""

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; color: #1b2733 }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 2rem }
th, td { border-bottom: 1px solid #d5dbe1; padding: .35rem .6rem; text-align: left; vertical-align: top }
th { border-bottom-width: 2px } td:first-child { white-space: nowrap } code { font-size: .92em }
dl { margin: 0; display: grid; grid-template-columns: max-content auto; gap: 0 .8rem } dd { margin: 0 }
h2 { margin-bottom: 0 } .left-out { color: #5a6876 }
@media (prefers-color-scheme: dark) { body { background: #14191f; color: #e4e9ee } th, td { border-color: #38434e }
.left-out { color: #9aa7b4 } }
"""


def about(plan: Plan) -> list[str]:
    """What a reader of the files must know, as sentences."""
    said = [
        "An empty cell means that nothing is recorded, or that it does not apply; nothing else stands for it."
    ]
    if plan.with_dates:
        said.append("Days and years of birth stand as recorded.")
    else:
        said += [
            "Days are shifted by a number that is constant within a patient and the same in every export, so "
            "that the days between two events are right, and weekdays, months and seasons are not.",
            "Of a date that may be known in part, the year of the shifted date is given.",
            f"In place of the year of birth stands {AGE}; {OLDEST} means {OLDEST} or older.",
        ]
    if not plan.with_text:
        said.append("What people typed, and who of the staff did what, is left out.")
    said.append(
        "Study IDs and lesion IDs are random codes, the same in every export that replaces them."
        if plan.new_ids
        else "Study IDs are the clinic's own pseudonyms: its list of patients can resolve them."
    )
    said += _selection_words(plan)
    if plan.closed:
        said.append("Arm, agent, concentration, salt form and lot are empty where an allocation is closed.")
    said += [
        "A calendar month does not survive shifted days: the sheet analysis says of each series whether the "
        "report analyses it, and why not.",
        "SPSS and Stata files hold numbers for codes, with their words as value labels. A SAS transport file "
        f"takes no value labels and holds the codes: the program {FORMATS_NAME} beside the files reads them and gives "
        "each code its words. The files are of version 8, with long names, which %xpt2loc opens in SAS.",
    ]
    return said


def _selection_words(plan: Plan) -> list[str]:
    """What was chosen, and what that means for the rows. A period is not told beside shifted days."""
    chosen = plan.selection
    facts = dict(selection_facts(chosen))
    if chosen.picks_period and not plan.with_dates:
        facts["First treatment"] = "A period that was chosen"
    said = ["; ".join(f"{what}: {value}" for what, value in facts.items()) + "."]
    if chosen.picks_lesions:
        said.append(f"{LESIONS_FOOTNOTE} Earlier treatments are those of the patient, whatever the lesion.")
    if chosen.concentrations:
        said.append(CONCENTRATION_FOOTNOTE)
    return said


def codebook_rows(plan: Plan) -> Iterator[tuple[str, ...]]:
    """HEADINGS, and a row for each variable: those that leave, and those that are left out."""
    yield HEADINGS
    for sheet in plan.sheets.values():
        for column in sheet.columns:
            yield _row(sheet, column, "yes")
    for sheet, column in plan.left_out:
        yield _row(sheet, column, f"no: {PRIVACY[column.privacy]}")


def codebook_csv(plan: Plan) -> bytes:
    """The codebook as CSV, separated as the plan's other files are."""
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=";" if plan.danish else ",", lineterminator="\r\n").writerows(
        codebook_rows(plan)
    )
    return ("\ufeff" if plan.danish else "").encode() + stream.getvalue().encode()


def codebook_html(plan: Plan) -> bytes:
    """The codebook as one page without any other file."""
    sentences = format_html_join("\n", "<li>{}</li>", ((one,) for one in about(plan)))
    contents = format_html_join(
        "\n", '<li><a href="#{}">{}</a></li>', ((one.name, one.label) for one in plan.sheets.values())
    )
    page = format_html(
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>Codebook</title>'
        "<style>{}</style></head>\n<body>\n<h1>Codebook</h1>\n<ul>{}</ul>\n<nav><ul>{}</ul></nav>\n{}\n</body>\n</html>\n",
        _STYLE,
        sentences,
        contents,
        format_html_join("\n", "{}", ((_sheet_html(plan, one),) for one in plan.sheets.values())),
    )
    return page.encode()


def _row(sheet: Sheet, column: Column, leaves: str) -> tuple[str, ...]:
    vocabulary = column.vocabulary or {}
    return (
        sheet.name,
        column.name,
        variable_label(column),
        column.unit,
        column.kind,
        "yes" if column.is_key else "no",
        _range(column),
        "; ".join(f"{code} = {words}" for code, words in vocabulary.items()),
        "; ".join(f"{number} = {code}" for code, number in numbers(column).items())
        if is_coded(column)
        else "",
        column.meaning,
        leaves,
    )


def _range(column: Column) -> str:
    if column.kind not in ("whole", "decimal"):
        return KINDS[column.kind]
    low, high = show_decimal(column.low or 0), show_decimal(column.high or 0)
    return f"above {low} to {high}" if column.above_low else f"{low} to {high}"


def _sheet_html(plan: Plan, sheet: Sheet) -> str:
    rows = format_html_join(
        "\n",
        "<tr><td><code>{}</code>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
        (
            (
                column.name,
                format_html("<br>{}", "key") if column.is_key else "",
                variable_label(column),
                column.meaning,
                _values_html(column),
            )
            for column in sheet.columns
        ),
    )
    gone = [column for one, column in plan.left_out if one.name == sheet.name]
    left_out = format_html_join(
        "\n",
        '<tr class="left-out"><td><code>{}</code></td><td>{}</td><td colspan="2">Left out: {}.</td></tr>',
        ((column.name, column.label, PRIVACY[column.privacy]) for column in gone),
    )
    return format_html(
        '<h2 id="{0}">{1}</h2>\n<p><code>{0}</code>: {2}</p>\n<table><thead><tr><th scope="col">Variable</th>'
        '<th scope="col">Label</th><th scope="col">Meaning</th><th scope="col">Values</th></tr></thead>\n'
        "<tbody>{3}\n{4}</tbody></table>",
        sheet.name,
        sheet.label,
        sheet.meaning,
        rows,
        left_out,
    )


def _values_html(column: Column) -> str:
    vocabulary = column.vocabulary or {}
    if not is_coded(column):
        words = valid_words(column)
        listed = format_html_join("", "<dt>{}</dt><dd>{}</dd>", vocabulary.items())
        return format_html("{}<dl>{}</dl>", words, listed) if vocabulary else words
    return format_html(
        "<dl>{}</dl>",
        format_html_join(
            "",
            "<dt><code>{}</code> ({})</dt><dd>{}</dd>",
            ((code, number, vocabulary[code]) for code, number in numbers(column).items()),
        ),
    )
