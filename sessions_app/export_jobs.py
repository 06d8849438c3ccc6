"""Exports that a process of its own works on, kept in the database; no other server is needed.

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
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from sessions_app.allocation import closed_for
from sessions_app.dataout.bundle import write_bundle
from sessions_app.dataout.manifest import Made
from sessions_app.dataout.plan import Plan
from sessions_app.dataout.statistics_files import NoRoomInFile
from sessions_app.datasheets.exporting import NoRoomInWorkbook
from sessions_app.exchange import export_clinics, export_words, may_export_as_recorded
from sessions_app.models import ExportJob
from sessions_app.selections import selection_as_json, selection_from_json
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


class NotAllowed(Exception):
    """Who asked may no longer export this."""


def plan_of(job: ExportJob) -> Plan:
    """The plan of a job, under the rights that its user has now.

    Raises:
        NotAllowed: the user lost a right that it needs.
    """
    chosen, user = job.chosen, job.made_by
    plan = Plan(
        clinics=tuple(chosen["clinics"]),
        formats=tuple(chosen["formats"]),
        selection=selection_from_json(chosen),
        with_dates=chosen["with_dates"],
        with_text=chosen["with_text"],
        new_ids=chosen["new_ids"],
        danish=chosen["danish"],
        closed=frozenset(pair for pair in closed_for(user) if pair[0] in chosen["clinics"]),
    )
    allowed = {one.code for one in export_clinics(user)}
    if not user.is_active or not set(plan.clinics) <= allowed:
        raise NotAllowed
    if not (plan.is_deidentified or may_export_as_recorded(user, plan.clinics)):
        raise NotAllowed
    return plan


def chosen_from(plan: Plan) -> dict[str, Any]:
    """What a job keeps of a plan."""
    return {
        "clinics": list(plan.clinics),
        "formats": list(plan.formats),
        **selection_as_json(plan.selection),
        "with_dates": plan.with_dates,
        "with_text": plan.with_text,
        "new_ids": plan.new_ids,
        "danish": plan.danish,
    }


def condition(job: ExportJob, now: datetime) -> str:
    """The state as it is told: one of STATE, or `lost` (nothing was heard of it), or `expired` (files are gone)."""
    if job.state in ("waiting", "running") and now - job.heartbeat_at > LOST_AFTER:
        return "lost"
    if job.state == "done" and job.finished_at is not None and now - job.finished_at > KEPT_FOR:
        return "expired"
    return job.state


def ask(plan: Plan, *, by: User, reason: str) -> ExportJob:
    """Write a job and start its process.

    Raises:
        ValidationError: an earlier export of this user is not finished.
        NotAllowed: the user may not export this.
    """
    remove_old()
    with transaction.atomic():
        User.objects.select_for_update().get(pk=by.pk)
        _refuse_a_second(by)
        job = ExportJob(made_by=by, chosen=chosen_from(plan), reason=reason, heartbeat_at=timezone.now())
        words = export_words(plan_of(job))
        job.save()
        note_event("exported", by=by.username, detail=f"asked: {words}; reason: {reason or 'none'}")
        transaction.on_commit(lambda: start_process(job.pk))
    return job


def ask_again(job: ExportJob) -> None:
    """Start a lost, failed or cancelled job anew.

    Raises:
        ValidationError: it is under way, or another one is.
    """
    with transaction.atomic():
        User.objects.select_for_update().get(pk=job.made_by_id)
        now = ExportJob.objects.select_for_update().get(pk=job.pk)
        if condition(now, timezone.now()) not in ("lost", "failed", "cancelled"):
            raise ValidationError("This export is not one that can be started again.")
        _refuse_a_second(job.made_by, but=job)
        shutil.rmtree(folder_of(now), ignore_errors=True)
        now.state, now.worker, now.cancel_asked, now.error = "waiting", "", False, ""
        now.work_done = now.work_in_all = 0
        now.heartbeat_at, now.finished_at, now.folder = timezone.now(), None, uuid4()
        now.save()
        note_event("exported", by=job.made_by.username, detail=f"started again: export {job.pk}")
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
        note_event("exported", by=job.made_by.username, detail=f"cancelled: export {job.pk}")


def _refuse_a_second(by: User, but: ExportJob | None = None) -> None:
    moment = timezone.now()
    others = ExportJob.objects.filter(made_by=by, state__in=("waiting", "running"))
    if any(condition(one, moment) != "lost" for one in others if one != but):
        raise ValidationError("Your last export is not finished. Wait for it, or cancel it.")


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
            folder = make_folder(job)
            write_bundle(
                folder, plan_of(job), Made(job.made_by.username, timezone.now(), job.reason), pulse.step
            )
            _write_everything(folder)
        error, state = "", "done"
    except _Stopped:
        error, state = "", "cancelled"
    except (NoRoomInWorkbook, NoRoomInFile) as problem:
        error, state = str(problem), "failed"
    except NotAllowed:
        error, state = "You may no longer export this.", "failed"
    except Exception:
        log.exception("An export failed.")
        error, state = "The export failed. The server's log says why.", "failed"
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
            note_event("exported", by=job.made_by.username, detail=f"{state}: export {job.pk}")
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
