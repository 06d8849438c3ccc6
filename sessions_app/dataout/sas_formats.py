"""The SAS program beside the transport files: the words of each code as formats, and which variable has which.

A transport file has no value labels. The program reads the files, makes a format for each coded variable from
the definitions that the codebook is made from, and gives each variable its own.
Source: SAS, record layout of a data set in transport format, versions 5, 6 and 8.
"""

from collections.abc import Iterator, Sequence

from sessions_app.dataout.coding import is_coded
from sessions_app.dataout.plan import Plan
from sessions_app.datasheets.columns import Column, Sheet

FORMATS_NAME = "formats.sas"

_ABOUT = """\
/* Reads the transport files into WORK and gives every code its words.
   Set the folder in which this file and the transport files are, and run it as UTF-8.
   The data keep the codes; the words are shown in their place. */
%let folder = .;
"""


def formats_program(plan: Plan) -> str:
    """The program: PROC FORMAT, then for each sheet its file and the FORMAT statement of its variables."""
    sheets = list(plan.sheets.values())
    return "\n".join([_ABOUT, *_definitions(sheets), "", *_assignments(sheets), ""])


def _definitions(sheets: Sequence[Sheet]) -> Iterator[str]:
    words = {
        format_name(sheet, column): column.vocabulary or {} for sheet in sheets for column in _coded(sheet)
    }
    yield "proc format;"
    for name, vocabulary in words.items():
        yield f"  value {name}"
        yield from (f"    {_quoted(code)} = {_quoted(text)}" for code, text in vocabulary.items())
        yield "  ;"
    yield "run;"


def _assignments(sheets: Sequence[Sheet]) -> Iterator[str]:
    for sheet in sheets:
        yield f'%xpt2loc(libref=work, memlist={sheet.name}, filespec="&folder/{sheet.name}.xpt");'
    yield "proc datasets library=work nolist;"
    for sheet in sheets:
        if columns := _coded(sheet):
            yield f"  modify {sheet.name};"
            yield "    format"
            yield from (f"      {column.name} {format_name(sheet, column)}." for column in columns)
            yield "    ;"
    yield "quit;"


def _coded(sheet: Sheet) -> list[Column]:
    return [column for column in sheet.columns if is_coded(column)]


def format_name(sheet: Sheet, column: Column) -> str:
    """The format of a coded column: of texts, so it begins with `$`; at most 32 characters, no digit at its end."""
    return "$yes_no" if column.kind == "yes_no" else f"${sheet.name}_{column.name}"


def _quoted(text: str) -> str:
    """A text in SAS: in single quotes, where neither % nor & means anything."""
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
