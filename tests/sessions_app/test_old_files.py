"""Exports and uploads that were kept long enough are gone after a restart, without anybody asking for one."""

import os
import time
import uuid
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from sessions_app import export_jobs, old_files, waiting_uploads
from sessions_app.export_jobs import KEPT_FOR
from sessions_app.models import ExportJob
from stsclinic.server import post_worker_init
from tests.builders import make_user

pytestmark = pytest.mark.django_db


def an_export(*, ended_before) -> ExportJob:
    ended = timezone.now() - ended_before
    job = ExportJob.objects.create(
        made_by=make_user("investigator", None),
        chosen={},
        state="done",
        heartbeat_at=ended,
        finished_at=ended,
    )
    (export_jobs.make_folder(job) / "sheets.zip").write_bytes(b"data")
    return job


def an_upload(*, sent_before: timedelta):
    settings.WAITING_UPLOADS.mkdir(parents=True, exist_ok=True)
    path = settings.WAITING_UPLOADS / f"{uuid.uuid4()}.sheets"
    path.write_bytes(b"data")
    sent = time.time() - sent_before.total_seconds()
    os.utime(path, (sent, sent))
    return path


def test_what_is_old_goes_and_what_is_not_stays(monkeypatch):
    minute = timedelta(minutes=1)
    old, young = (an_export(ended_before=KEPT_FOR + more) for more in (minute, -minute))
    sent, waits = (an_upload(sent_before=waiting_uploads.KEPT_FOR + more) for more in (minute, -minute))
    monkeypatch.setattr(old_files, "connection", Unclosed)
    old_files.remove_old_files()
    assert not export_jobs.folder_of(old).exists() and export_jobs.folder_of(young).is_dir()
    assert not sent.exists() and waits.is_file()


def test_each_start_of_the_server_begins_with_it(monkeypatch):
    begun = []
    monkeypatch.setattr(old_files, "keep_removing", lambda: begun.append(True))
    post_worker_init(None)
    assert begun == [True]


def test_it_goes_on_when_one_of_both_fails(monkeypatch, caplog):
    def broken():
        raise OSError("no disk")

    old = an_export(ended_before=KEPT_FOR + timedelta(minutes=1))
    monkeypatch.setattr(waiting_uploads, "forget_old", broken)
    monkeypatch.setattr(old_files, "connection", Unclosed)
    old_files.remove_old_files()
    assert not export_jobs.folder_of(old).exists()
    assert "Old files could not be removed." in caplog.text


def test_it_comes_again(monkeypatch):
    """The loop runs until the sleep is broken: twice here."""
    runs, pauses = [], []

    class Enough(Exception):
        pass

    def sleep(seconds):
        pauses.append(seconds)
        if len(pauses) == 2:
            raise Enough

    class Thread:
        def __init__(self, *, target, name, daemon):
            assert daemon
            self.start = target

    monkeypatch.setattr(old_files, "remove_old_files", lambda: runs.append(True))
    monkeypatch.setattr(old_files.time, "sleep", sleep)
    monkeypatch.setattr(old_files.threading, "Thread", Thread)
    with pytest.raises(Enough):
        old_files.keep_removing()
    assert len(runs) == 2 and pauses == [600, 600]


class Unclosed:
    """The test's own connection, which stays open."""

    @staticmethod
    def close():
        pass
