"""The exports and large reports of a person as the page tells them: what, how far, and which files there are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from django.http import Http404
from django.urls import reverse
from django.utils import timezone

from sessions_app.dataout.bundle import FORMATS
from sessions_app.exchange import EXPORT_RIGHT
from sessions_app.export_jobs import EVERYTHING, KEPT_FOR, KINDS, can_start_again, condition, folder_of
from sessions_app.models import ExportJob
from sessions_app.report_asked import PAGE, Asked, asked_from
from sessions_app.selections import selection_facts, selection_from_json, selection_in_a_line
from stsclinic.access import NotAllowed, may
from stsclinic.clinical.dates import show_date
from stsclinic.clinics.models import Clinic, User

SHOWN = 20
"""Exports that the page lists, the newest first."""

WORDS = {**ExportJob.STATE, "lost": "Stopped without an end", "expired": "Files removed"}

FILE_WORDS = {
    EVERYTHING: "All files in one, with those of SPSS, Stata and SAS",
    "sheets.xlsx": "The sheets as one workbook",
    "sheets.zip": "The sheets as CSV files",
    "codebook.html": "What each variable means",
    "codebook.csv": "The same as a table",
    "manifest.txt": "What the export holds, and how to know that nothing was changed",
    "manifest.json": "The same for programs",
    "headline.py": "Computes the report's headline from the CSV files, in Python",
    "headline.R": "The same in R",
}
"""The files that can be fetched one by one, in the order of the list."""


@dataclass(frozen=True)
class ShownFile:
    """A file that can be fetched."""

    name: str
    words: str
    size: int


@dataclass(frozen=True)
class ShownExport:
    """An export as it is told now."""

    job: ExportJob
    condition: str
    percent: int
    files: list[ShownFile]
    can_start_again: bool
    clinics: str
    """Their names."""

    @property
    def state_words(self) -> str:
        return WORDS[self.condition]

    @property
    def is_report(self) -> bool:
        return self.job.kind == "report"

    @property
    def is_page(self) -> bool:
        """Whether it makes what is shown, and no file."""
        return self.is_report and self.asked.is_page

    @property
    def address(self) -> str:
        """Of a report's page: where it is shown once it is made."""
        where = "report" if self.asked.what == "page" else "report_rows"
        path = reverse(where, args=self.asked.names)
        return f"{path}?{self.asked.query}" if self.asked.query else path

    @property
    def noun(self) -> str:
        return self.job.KIND[self.job.kind]

    @property
    def asked(self) -> Asked:
        """What was asked of a report."""
        return asked_from(self.job.chosen)

    @property
    def is_under_way(self) -> bool:
        return self.condition in ("waiting", "running")

    @property
    def kept_until(self) -> datetime | None:
        return self.job.finished_at and self.job.finished_at + KEPT_FOR

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What was chosen, in words."""
        chosen = self.job.chosen
        if self.is_report:
            return [
                ("What", self.asked.words),
                ("Clinics", self.clinics),
                *selection_facts(selection_from_json(chosen)),
                ("Date", show_date(date.fromisoformat(chosen["stated_on"]))),
            ]
        found = [
            ("Clinics", self.clinics),
            *selection_facts(selection_from_json(chosen)),
            ("Files", ", ".join(FORMATS[name].words for name in chosen["formats"] if name in FORMATS)),
            ("Form", self.form),
            ("IDs", "Random codes" if chosen["new_ids"] else "Study IDs"),
        ]
        return [*found, ("Reason", self.job.reason)] if self.job.reason else found

    @property
    def form(self) -> str:
        """What leaves of the persons."""
        more = {"with_dates": "days as recorded", "with_text": "free text"}
        recorded = ", ".join(words for name, words in more.items() if self.job.chosen[name])
        return f"With {recorded}" if recorded else "De-identified"

    @property
    def told_apart(self) -> str:
        """What one export of a list was made of, in a line: clinics, selection, form, formats."""
        chosen = self.job.chosen
        parts = [
            self.clinics,
            selection_in_a_line(selection_from_json(chosen), {}),
            self.form,
            ", ".join(chosen["formats"]),
        ]
        return "; ".join(filter(None, parts))


def exports_of(user: User) -> list[ShownExport]:
    """The latest exports of `user`."""
    return _shown(ExportJob.objects.filter(made_by=user, kind="data")[:SHOWN])


def export_of(user: User, pk: int) -> ShownExport:
    """One export or report of `user`.

    Raises:
        Http404: there is none of this number, it is somebody else's, or the user exports no more.
    """
    job = ExportJob.objects.filter(pk=pk, made_by=user).first()
    if job is None or (job.kind == "data" and not may(user, EXPORT_RIGHT)):
        raise Http404
    return _shown([job])[0]


def file_of(user: User, pk: int, name: str) -> tuple[ExportJob, Path]:
    """A file of a finished export or report of `user`, who must still have the rights that it needs.

    Raises:
        Http404: there is no such file, or not for this user, or a day is over.
    """
    shown = export_of(user, pk)
    if name not in {one.name for one in shown.files}:
        raise Http404
    _still_allowed(shown.job)
    return shown.job, folder_of(shown.job) / name


def page_of(job: ExportJob) -> str | None:
    """The page that a finished job made of a report, below its selection, for its user; None where it is removed.

    Raises:
        Http404: the user lost a right that it needs.
    """
    _still_allowed(job)
    try:
        return (folder_of(job) / PAGE).read_text()
    except FileNotFoundError:
        return None


def _still_allowed(job: ExportJob) -> None:
    try:
        KINDS[job.kind].words(job)
    except NotAllowed as error:
        raise Http404 from error


def _shown(jobs: Iterable[ExportJob]) -> list[ShownExport]:
    now, names = timezone.now(), dict(Clinic.objects.values_list("code", "name"))
    return [_shown_at(now, job, names) for job in jobs]


def _shown_at(now: datetime, job: ExportJob, names: Mapping[str, str]) -> ShownExport:
    told = condition(job, now)
    percent = 100 if told == "done" else int(100 * job.work_done / job.work_in_all) if job.work_in_all else 0
    files = _files(job) if told == "done" else {}
    shown = [ShownFile(path.name, words, path.stat().st_size) for path, words in files.items()]
    clinics = "; ".join(names[code] for code in job.chosen["clinics"])
    return ShownExport(job, told, percent, shown, can_start_again(job, now), clinics)


def _files(job: ExportJob) -> dict[Path, str]:
    """The files that can be fetched one by one, with their words."""
    folder = folder_of(job)
    if job.kind == "data":
        return {folder / name: words for name, words in FILE_WORDS.items() if (folder / name).is_file()}
    asked = asked_from(job.chosen)
    return {} if asked.is_page else {path: asked.words for path in folder.glob("*")}
