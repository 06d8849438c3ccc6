"""The exports of a person as the page tells them: what, how far, and which files there are."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.http import Http404
from django.utils import timezone

from sessions_app.dataout.bundle import FORMATS
from sessions_app.export_jobs import (
    EVERYTHING,
    KEPT_FOR,
    NotAllowed,
    condition,
    folder_of,
    plan_of,
)
from sessions_app.models import ExportJob
from sessions_app.selections import selection_facts, selection_from_json
from stsclinic.clinics.models import User

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

    @property
    def state_words(self) -> str:
        return WORDS[self.condition]

    @property
    def is_under_way(self) -> bool:
        return self.condition in ("waiting", "running")

    @property
    def can_start_again(self) -> bool:
        return self.condition in ("lost", "failed", "cancelled")

    @property
    def kept_until(self) -> datetime | None:
        return self.job.finished_at and self.job.finished_at + KEPT_FOR

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What was chosen, in words."""
        chosen = self.job.chosen
        more = [("days as recorded", chosen["with_dates"]), ("free text", chosen["with_text"])]
        recorded = ", ".join(words for words, leaves in more if leaves)
        found = [
            ("Clinics", ", ".join(chosen["clinics"])),
            *selection_facts(selection_from_json(chosen)),
            ("Files", ", ".join(FORMATS[name].words for name in chosen["formats"] if name in FORMATS)),
            ("Form", f"With {recorded}" if recorded else "De-identified"),
            ("IDs", "Random codes" if chosen["new_ids"] else "Study IDs"),
        ]
        return [*found, ("Reason", self.job.reason)] if self.job.reason else found


def exports_of(user: User) -> list[ShownExport]:
    """The latest exports of `user`."""
    now = timezone.now()
    return [_shown(job, now) for job in ExportJob.objects.filter(made_by=user)[:SHOWN]]


def export_of(user: User, pk: int) -> ShownExport:
    """One export of `user`.

    Raises:
        Http404: there is none of this number, or it is somebody else's.
    """
    job = ExportJob.objects.filter(pk=pk, made_by=user).first()
    if job is None:
        raise Http404
    return _shown(job, timezone.now())


def file_of(user: User, pk: int, name: str) -> tuple[ExportJob, Path]:
    """A file of a finished export of `user`, who must still have the rights that it needs.

    Raises:
        Http404: there is no such file, or not for this user, or a day is over.
    """
    shown = export_of(user, pk)
    if name not in {one.name for one in shown.files}:
        raise Http404
    try:
        plan_of(shown.job)
    except NotAllowed as error:
        raise Http404 from error
    return shown.job, folder_of(shown.job) / name


def _shown(job: ExportJob, now: datetime) -> ShownExport:
    told = condition(job, now)
    percent = 100 if told == "done" else int(100 * job.work_done / job.work_in_all) if job.work_in_all else 0
    files = (
        [ShownFile(path.name, FILE_WORDS[path.name], path.stat().st_size) for path in _in_order(job)]
        if told == "done"
        else []
    )
    return ShownExport(job, told, percent, files)


def _in_order(job: ExportJob) -> list[Path]:
    folder = folder_of(job)
    return [folder / name for name in FILE_WORDS if (folder / name).is_file()]
