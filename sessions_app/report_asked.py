"""What somebody asks of a report (its page, the rows behind a number, a figure, a file), and the making of it.

It is made within the request where that takes a moment, and of a large registry by a process of its own (see
export_jobs). Both ways go through `make`, and give the same bytes.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

from django.http import QueryDict
from django.template.loader import render_to_string

from sessions_app.allocation import closed_in
from sessions_app.forms.report import ReportFilterForm
from sessions_app.models import Series
from sessions_app.report_files import FORMATS, NOT_SHARED
from sessions_app.report_page import address, lanes_from, notes_of, shown_sections, shown_tables
from sessions_app.report_pdf import PICTURES
from sessions_app.reports import Prepared, chosen_of, prepare, report_clinics, report_protocols, today_in
from sessions_app.selections import selection_as_json, selection_by_codes
from stsclinic import __version__
from stsclinic.access import NotAllowed, clinics_where
from stsclinic.clinics.models import Clinic, User
from stsclinic.drawing import footed
from stsclinic.reporting.figures import SECTION_OF, figures
from stsclinic.reporting.tables import cell_text
from stsclinic.reporting.tables.behind import rows_behind

MOST_AT_ONCE = {"page": 6_000, "rows": 6_000, "figure": 6_000, "file": 3_000}
"""Series up to which each is made while a person waits. On two quiet cores a page of so many takes 3 seconds, a
workbook 5, CSV and PDF half of it; a clinic's machine may be slower."""

READ, COMPUTED = 14, 33
"""How much of the work is done once the rows are read, and once the tables are there: in tenths of a second, of
10,000 series."""
WRITING = {"page": 15, "csv": 43, "csv-comma": 44, "xlsx": 126, "tables": 35, "pdf": 48, "svg": 7, "png": 8}
"""How much is left then."""

WORDS = {
    "page": "The report's page",
    "csv": "CSV",
    "csv-comma": "CSV with semicolons and decimal commas",
    "xlsx": "XLSX",
    "json": "JSON",
    "tables": "Tables as JSON",
    "pdf": "PDF",
}
PAGES = frozenset({"page", "rows"})
"""What is shown in the browser; the rest are files."""

PAGE = "page.html"
"""The one file of a job that makes something to be shown."""

Step = Callable[[int, int], None]
"""Called with the work done and the whole work. It may raise, which ends the work."""


class NothingThere(Exception):
    """The report has no such figure, number or file."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked for."""

    what: str
    """A key of MOST_AT_ONCE."""
    names: tuple[str, ...] = ()
    """A file's format; a figure's code and format; of rows the table, the number of its row and the column."""
    query: str = ""
    """The selection and all else, as the address holds it."""

    @property
    def given(self) -> QueryDict:
        return QueryDict(self.query)

    @property
    def is_page(self) -> bool:
        return self.what in PAGES

    @property
    def is_for_sharing(self) -> bool:
        return self.given.get("share") == "1" and not self.is_page

    @property
    def log_words(self) -> str:
        """Without the selection: `pdf for sharing`, `flow.svg`."""
        of = "rows of " if self.what == "rows" else ""
        sharing = " for sharing" if self.is_for_sharing else ""
        return f"{of}{'.'.join(self.names) or self.what}{sharing}"

    @property
    def words(self) -> str:
        """The same for people."""
        sharing = ", for sharing" if self.is_for_sharing else ""
        if self.what == "rows":
            return "The rows behind a number"
        if self.what == "figure":
            return f"A figure as {self.names[1].upper()}{sharing}"
        return f"{WORDS[self.names[0] if self.names else self.what]}{sharing}"

    @property
    def writing(self) -> int:
        return WRITING.get(self.names[-1] if self.names else self.what, 1)


@dataclass(frozen=True, kw_only=True)
class Made:
    """What was made: a file, or the part of a page below the report's selection."""

    content: bytes
    content_type: str
    name: str
    """Of the file."""


def filter_of(user: User, given: QueryDict) -> tuple[ReportFilterForm, list[Clinic]]:
    """The selection that an address holds, and the clinics of which it may be."""
    clinics = report_clinics(user)
    return ReportFilterForm(given, clinics=clinics, protocols=report_protocols(clinics)), clinics


def is_there(asked: Asked) -> bool:
    """Whether there may be such a thing; whether there is, only the report can tell."""
    if asked.what == "file":
        (file_format,) = asked.names
        return file_format in FORMATS and not (asked.is_for_sharing and file_format in NOT_SHARED)
    if asked.what == "figure":
        figure, picture = asked.names
        return figure in SECTION_OF and picture in PICTURES
    return True


def is_large(asked: Asked, form: ReportFilterForm, clinics: Sequence[Clinic]) -> bool:
    """Whether it takes longer than a person should wait for an answer."""
    read = chosen_of(clinics, form.selection)
    return Series.objects.filter(patient__clinic__in=read).count() > MOST_AT_ONCE[asked.what]


# Made at once, or by a process of its own


def make(
    user: User,
    asked: Asked,
    form: ReportFilterForm,
    clinics: Sequence[Clinic],
    *,
    stated_on: date | None = None,
    step: Step = lambda done, of: None,
) -> Made:
    """Make what is asked for, of the valid selection of `form`.

    Raises:
        NothingThere: the report has it not.
    """
    in_all = COMPUTED + asked.writing
    step(0, in_all)
    prepared = prepare(
        user,
        form.selection,
        clinics,
        stated_on=stated_on or form.stated_on,
        for_sharing=asked.is_for_sharing,
        has_read=lambda: step(READ, in_all),
    )
    step(COMPUTED, in_all)
    if asked.what == "page":
        return _page(user, asked, form, prepared)
    if asked.what == "rows":
        return _rows(user, asked, form, prepared)
    if asked.what == "figure":
        return _figure(asked, prepared)
    ending, content_type, write = FORMATS[asked.names[0]]
    stream = BytesIO()
    write(prepared, stream, lambda part: step(COMPUTED + int(part * asked.writing), in_all))
    return _file(prepared, "report", ending, content_type, stream.getvalue())


def _page(user: User, asked: Asked, form: ReportFilterForm, prepared: Prepared) -> Made:
    notes = notes_of(prepared.tables)
    drawn = figures(prepared.tables, lanes_from(asked.given))
    context = {
        "form": form,
        "prepared": prepared,
        "may_export": bool(clinics_where(user, "export_data")),
        "sections": shown_sections(prepared.tables, drawn, notes, user, form.query, asked.given),
        "notes": notes,
        "query": address("report", form.query).removeprefix(address("report", {})),
        "share_query": address("report", form.query, share=1).removeprefix(address("report", {})),
    }
    return _html("sessions_app/report_shown.html", context)


def _rows(user: User, asked: Asked, form: ReportFilterForm, prepared: Prepared) -> Made:
    table, number, column = asked.names
    row = int(number)
    of = next((one for one in prepared.tables if one.code == table), None)
    counted = next((one for one in of.columns if one.code == column), None) if of else None
    found = of.behind(row, column) if of and counted and row < len(of.rows) else None
    if of is None or counted is None or found is None:
        raise NothingThere
    words = [
        cell_text(one, value)
        for one, value in zip(of.columns, of.rows[row], strict=True)
        if not one.is_number and value not in (None, "")
    ]
    listed = rows_behind(prepared.report, found)
    (shown,) = shown_tables([listed], [], user, form.query, asked.given, of=asked.names)
    context = {
        "of": of,
        "words": words,
        "column": counted,
        "value": cell_text(counted, of.value(row, column)),
        "shown": shown,
        "about": prepared.about,
        "back": f"{address('report', form.query)}#part-{table}",
    }
    return _html("sessions_app/report_rows_shown.html", context)


def _html(template: str, context: dict[str, Any]) -> Made:
    content = render_to_string(template, context).encode()
    return Made(content=content, content_type="text/html", name=PAGE)


def _figure(asked: Asked, prepared: Prepared) -> Made:
    code, picture = asked.names
    drawn = next(
        (one for one in figures(prepared.tables, lanes_from(asked.given)) if one.code == code),
        None,
    )
    if drawn is None:
        raise NothingThere
    content_type, draw = PICTURES[picture]
    return _file(prepared, code, picture, content_type, draw(footed(drawn, prepared.foot)))


def _file(prepared: Prepared, what: str, ending: str, content_type: str, content: bytes) -> Made:
    sharing = "-for-sharing" if prepared.is_for_sharing else ""
    name = f"stsclinic-{what}{sharing}-{prepared.stated_on.isoformat()}.{ending}"
    return Made(content=content, content_type=content_type, name=name)


# What a job keeps of it


def chosen_from(
    user: User, asked: Asked, form: ReportFilterForm, clinics: Sequence[Clinic]
) -> dict[str, Any]:
    """What a job keeps: what tells that it makes the same as another."""
    read = chosen_of(clinics, form.selection)
    return {
        **asdict(asked),
        "names": list(asked.names),
        "clinics": [one.code for one in read],
        **selection_as_json(form.selection),
        "closed": closed_in(user, [one.code for one in read]),
        "stated_on": (form.stated_on or today_in(read)).isoformat(),
        "version": __version__,
    }


def asked_from(chosen: dict[str, Any]) -> Asked:
    """What was asked for, from what a job keeps."""
    return Asked(what=chosen["what"], names=tuple(chosen["names"]), query=chosen["query"])


def chosen_words(user: User, chosen: dict[str, Any]) -> str:
    """What was asked for with its selection, for the log, under the rights that `user` has now.

    Raises:
        NotAllowed: the user lost a right that it needs.
    """
    form, _clinics = _still_allowed(user, chosen)
    return f"{asked_from(chosen).log_words}: {selection_words(form)}"


def selection_words(form: ReportFilterForm) -> str:
    """The selection by codes."""
    return "; ".join(selection_by_codes(form.selection)) or "everything"


def write_report(user: User, chosen: dict[str, Any], folder: Path, step: Step) -> None:
    """Make what a job keeps, as the one file of its folder.

    Raises:
        NotAllowed: the user lost a right that it needs.
        NothingThere: the report has it not.
    """
    form, clinics = _still_allowed(user, chosen)
    stated_on = date.fromisoformat(chosen["stated_on"])
    made = make(user, asked_from(chosen), form, clinics, stated_on=stated_on, step=step)
    # It may tell what was open for a moment only; the rights are read anew.
    _still_allowed(User.objects.get(pk=user.pk), chosen)
    (folder / made.name).write_bytes(made.content)


def _still_allowed(user: User, chosen: dict[str, Any]) -> tuple[ReportFilterForm, list[Clinic]]:
    """The selection and its clinics, while the user has the rights of then and the same allocations are closed.

    Where one was opened since, it is to be asked anew: what was made must not be what was open in between.
    """
    form, clinics = filter_of(user, asked_from(chosen).given)
    read = [one for one in clinics if one.code in chosen["clinics"]]
    is_as_asked = closed_in(user, chosen["clinics"]) == chosen["closed"]
    if not user.is_active or len(read) < len(chosen["clinics"]) or not is_as_asked or not form.is_valid():
        raise NotAllowed
    return form, read
