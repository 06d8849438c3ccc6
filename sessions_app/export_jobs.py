"""Exports and large reports that a process of its own works on, kept in the database; no other server is needed.

A request writes a job and starts a process, which claims the job under a lock, says every second that
it lives and how far it is, and looks whether it was asked to stop. Whether a job is lost is a function
of its last sign of life and the time; nothing has to notice it. Files are only for who asked, and go
after a day.
"""

import logging
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from sessions_app.dataout.bundle import write_bundle
from sessions_app.dataout.manifest import Made
from sessions_app.dataout.plan import Plan
from sessions_app.dataout.statistics_files import NoRoomInFile
from sessions_app.datasheets.exporting import NoRoomInWorkbook
from sessions_app.exchange import chosen_from, export_words, plan_of
from sessions_app.models import ExportJob
from sessions_app.report_asked import NothingThere, Step, chosen_words, write_report
from stsclinic.access import NotAllowed
from stsclinic.audit.services import note_event
from stsclinic.clinics.models import User

BEAT_SECONDS = 1.0
LOST_AFTER = timedelta(seconds=30)
"""Without a sign of life for so long, a job's process is dead, or never began."""
KEPT_FOR = timedelta(days=1)

EVERYTHING = "everything.zip"
"""All files of an export in one."""

log = logging.getLogger(__name__)


class _Stopped(Exception):
    """The job was cancelled, or another process has taken it."""


class Busy(ValidationError):
    """The user's last job of this kind is not finished. It is `job`."""

    def __init__(self, job: ExportJob):
        noun = job.KIND[job.kind].lower()
        super().__init__(f"Your last {noun} is not finished. Wait for it, or cancel it.")
        self.job = job


@dataclass(frozen=True)
class Kind:
    """What is different between the kinds of jobs."""

    event: str
    """The kind of its events in the log."""
    words: Callable[[ExportJob], str]
    """What leaves, for the log. It raises NotAllowed if the user lost a right that it needs."""
    write: Callable[[ExportJob, Path, Step], None]
    """Writes the files into the job's folder. It raises what `words` raises."""


def _write_export(job: ExportJob, folder: Path, step: Step) -> None:
    write_bundle(folder, plan_of(job), Made(job.made_by.username, timezone.now(), job.reason), step)
    _write_everything(folder)


KINDS = {
    "data": Kind("exported", lambda job: export_words(plan_of(job)), _write_export),
    "report": Kind(
        "report_downloaded",
        lambda job: chosen_words(job.made_by, job.chosen),
        lambda job, folder, step: write_report(job.made_by, job.chosen, folder, step),
    ),
}


def condition(job: ExportJob, now: datetime) -> str:
    """The state as it is told: one of STATE, or `lost` (nothing was heard of it), or `expired` (files are gone)."""
    if job.state in ("waiting", "running") and now - job.heartbeat_at > LOST_AFTER:
        return "lost"
    if job.state == "done" and job.finished_at is not None and now - job.finished_at > KEPT_FOR:
        return "expired"
    return job.state


def ask(plan: Plan, *, by: User, reason: str) -> ExportJob:
    """Write the job of an export and start its process.

    Raises:
        Busy: an earlier export of this user is not finished.
        NotAllowed: the user may not export this.
    """
    remove_old()
    with transaction.atomic():
        User.objects.select_for_update().get(pk=by.pk)
        return _begin(ExportJob(made_by=by, chosen=chosen_from(plan, by), reason=reason))


def ask_report(chosen: dict[str, Any], *, by: User) -> ExportJob:
    """The job that makes this of a report: the one that is there, or else a new one, whose process is started.

    Args:
        chosen: see report_asked.chosen_from.

    Raises:
        Busy: another report of this user is not finished.
    """
    remove_old()
    with transaction.atomic():
        User.objects.select_for_update().get(pk=by.pk)
        moment = timezone.now()
        there = ExportJob.objects.filter(made_by=by, kind="report", asked_at__gt=moment - 2 * KEPT_FOR)
        for job in there:
            told = condition(job, moment)
            is_made = told == "done" and folder_of(job).is_dir()
            if job.chosen == chosen and (is_made or told in ("waiting", "running")):
                return job
        return _begin(ExportJob(made_by=by, kind="report", chosen=chosen))


def _begin(job: ExportJob) -> ExportJob:
    """Keep a new job and start its process. The user's row is locked."""
    _refuse_a_second(job)
    words = KINDS[job.kind].words(job)
    reason = f"; reason: {job.reason or 'none'}" if job.kind == "data" else ""
    job.heartbeat_at = timezone.now()
    job.save()
    _note(job, f"asked: {words}{reason}")
    transaction.on_commit(lambda: start_process(job.pk))
    return job


def _note(job: ExportJob, detail: str) -> None:
    note_event(KINDS[job.kind].event, by=job.made_by.username, detail=detail)


def note_fetched(job: ExportJob, name: str) -> None:
    """Log that a file was fetched."""
    fetched = name if job.kind == "data" else KINDS[job.kind].words(job)
    _note(job, f"fetched: {fetched} of {_named(job)}")


def _named(job: ExportJob) -> str:
    return f"{job.KIND[job.kind].lower()} {job.pk}"


def can_start_again(job: ExportJob, now: datetime) -> bool:
    """Whether it can be started anew: a lost, failed or cancelled job, and a report that was made."""
    again = ("lost", "failed", "cancelled", *(["done"] if job.kind == "report" else []))
    return condition(job, now) in again


def ask_again(job: ExportJob) -> None:
    """Start a job anew; what it made goes.

    Raises:
        ValidationError: it is under way, or another one is.
    """
    with transaction.atomic():
        User.objects.select_for_update().get(pk=job.made_by_id)
        now = ExportJob.objects.select_for_update().get(pk=job.pk)
        if not can_start_again(now, timezone.now()):
            raise ValidationError("It is not one that can be started again.")
        _refuse_a_second(job)
        shutil.rmtree(folder_of(now), ignore_errors=True)
        now.state, now.worker, now.cancel_asked, now.error = "waiting", "", False, ""
        now.work_done = now.work_in_all = 0
        now.heartbeat_at, now.finished_at, now.folder = timezone.now(), None, uuid4()
        now.save()
        _note(job, f"started again: {_named(job)}")
        transaction.on_commit(lambda: start_process(job.pk))


def cancel(job: ExportJob) -> None:
    """Ask the process to stop; a job that nobody has begun or that is lost is cancelled at once."""
    with transaction.atomic():
        now = ExportJob.objects.select_for_update().get(pk=job.pk)
        if now.state not in ("waiting", "running"):
            return
        now.cancel_asked = True
        if now.state == "waiting" or condition(now, timezone.now()) == "lost":
            now.state, now.worker, now.finished_at = "cancelled", "", timezone.now()
            shutil.rmtree(folder_of(now), ignore_errors=True)
        now.save()
        _note(job, f"cancelled: {_named(job)}")


def _refuse_a_second(job: ExportJob) -> None:
    """A user has one job of each kind under way."""
    moment = timezone.now()
    others = ExportJob.objects.filter(made_by=job.made_by, kind=job.kind, state__in=("waiting", "running"))
    for one in others:
        if one != job and condition(one, moment) != "lost":
            raise Busy(one)


# Files


def folder_of(job: ExportJob) -> Path:
    """Where the files of a job are. Its name says nothing."""
    return settings.EXPORTS_DIR / str(job.folder)


def make_folder(job: ExportJob) -> Path:
    """Make the folder for the files of a job, open to nobody but the server's own user."""
    settings.EXPORTS_DIR.mkdir(parents=True, exist_ok=True)
    settings.EXPORTS_DIR.chmod(0o700)
    folder_of(job).mkdir(mode=0o700)
    return folder_of(job)


def remove_old() -> None:
    """Remove the folders of jobs that are over since a day, and those that belong to none."""
    if not settings.EXPORTS_DIR.is_dir():
        return
    moment = timezone.now()
    kept = {
        str(job.folder)
        for job in ExportJob.objects.filter(state__in=("waiting", "running", "done"))
        if condition(job, moment) != "expired"
    }
    for path in settings.EXPORTS_DIR.iterdir():
        if path.name not in kept and _is_a_folder_of_ours(path):
            shutil.rmtree(path, ignore_errors=True)


def _is_a_folder_of_ours(path: Path) -> bool:
    try:
        return path.is_dir() and str(UUID(path.name)) == path.name
    except ValueError:
        return False


# The process


def start_process(job_pk: int) -> None:
    """Start the process that works on a job, apart from this one."""
    process = subprocess.Popen(  # noqa: S603 (our own command, a number as its argument)
        [sys.executable, str(settings.BASE_DIR / "manage.py"), "work_export", str(job_pk)],
        cwd=settings.BASE_DIR,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    # A process that ended stays in the system's table until somebody asks for its end.
    threading.Thread(target=process.wait, daemon=True).start()


class Pulse:
    """What a process tells the database while it works, and what it is told: to go on, or to stop."""

    def __init__(self, job_pk: int, worker: str):
        self._job_pk, self._worker = job_pk, worker
        self.done = self.in_all = 0
        self.is_stopped = False

    def step(self, done: int, in_all: int) -> None:
        """Note how far the work is.

        Raises:
            _Stopped: the work is not wanted any more.
        """
        self.done, self.in_all = done, in_all
        if self.is_stopped:
            raise _Stopped

    def beat(self) -> None:
        """One sign of life."""
        mine = ExportJob.objects.filter(pk=self._job_pk, worker=self._worker, state="running")
        lives = mine.update(heartbeat_at=timezone.now(), work_done=self.done, work_in_all=self.in_all)
        self.is_stopped = not lives or mine.filter(cancel_asked=True).exists()


@contextmanager
def beating(pulse: Pulse) -> Iterator[None]:
    """Beat every second in a thread with a connection of its own: the work reads one moment of the database."""
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(BEAT_SECONDS):
            try:
                pulse.beat()
            except Exception:
                log.exception("A sign of life of an export could not be written.")
        connection.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def work(job_pk: int, *, alive: Callable[[Pulse], Any] = beating) -> None:
    """Work on a waiting job until it is done, failed or cancelled; on any other, do nothing.

    Args:
        alive: what keeps a pulse beating while the work goes on.
    """
    os.umask(0o077)
    worker = uuid4().hex
    with transaction.atomic():
        job = ExportJob.objects.select_for_update().filter(pk=job_pk, state="waiting").first()
        if job is None:
            return
        job.state, job.worker, job.heartbeat_at = "running", worker, timezone.now()
        job.save(update_fields=["state", "worker", "heartbeat_at"])
    remove_old()
    pulse = Pulse(job.pk, worker)
    try:
        with alive(pulse):
            KINDS[job.kind].write(job, make_folder(job), pulse.step)
        error, state = "", "done"
    except _Stopped:
        error, state = "", "cancelled"
    except (NoRoomInWorkbook, NoRoomInFile) as problem:
        error, state = str(problem), "failed"
    except NotAllowed:
        error, state = f"You may no longer {'export' if job.kind == 'data' else 'see'} this.", "failed"
    except NothingThere:
        error, state = "The report has nothing at this address now.", "failed"
    except Exception:
        noun = job.KIND[job.kind].lower()
        log.exception("Job %s failed: %s.", job.pk, noun)
        error, state = f"The {noun} failed. The server's log says why.", "failed"
    _finish(job, worker, state, error, pulse.in_all)


def _finish(job: ExportJob, worker: str, state: str, error: str, in_all: int) -> None:
    with transaction.atomic():
        mine = ExportJob.objects.select_for_update().filter(pk=job.pk, worker=worker, state="running").first()
        is_kept = False
        if mine is not None:
            if mine.cancel_asked:
                state, error = "cancelled", ""
            is_kept = state == "done"
            mine.state, mine.error, mine.finished_at = state, error[:500], timezone.now()
            mine.work_done = mine.work_in_all = in_all
            mine.save()
            _note(job, f"{state}: {_named(job)}")
    if not is_kept:
        shutil.rmtree(folder_of(job), ignore_errors=True)


def _write_everything(folder: Path) -> None:
    """All files in one zip; what is packed already is not packed again."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    with zipfile.ZipFile(folder / EVERYTHING, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in paths:
            packed = path.suffix in (".zip", ".xlsx")
            kind = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
            archive.write(path, path.relative_to(folder), compress_type=kind)
