"""Where are uploaded data sheets between their preview and their import?

In a file that only the program may read, for the one who sent them, for an hour at most.
"""

import hashlib
import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone

from stsclinic.clinics.models import User

KEPT_FOR = timedelta(hours=1)
"""How long an upload waits to be imported."""

BLOCK = 1024 * 1024
_CONTENT, _ABOUT = ".sheets", ".json"


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """An upload that waits."""

    token: uuid.UUID
    name: str
    """The file's name, as it was sent."""
    path: Path
    until: datetime


def keep(user: User, file: UploadedFile) -> uuid.UUID:
    """Keep an upload for its sender; give the word under which it is found again."""
    forget_old()
    folder = settings.WAITING_UPLOADS
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    token = uuid.uuid4()
    digest = hashlib.sha256()
    with _new(folder / f"{token}{_CONTENT}") as content:
        file.seek(0)
        while block := file.read(BLOCK):
            content.write(block)
            digest.update(block)
    about = {
        "user": user.pk,
        "name": file.name,
        "at": timezone.now().isoformat(),
        "sha256": digest.hexdigest(),
    }
    with _new(folder / f"{token}{_ABOUT}") as text:
        text.write(json.dumps(about).encode())
    return token


def waiting(user: User, token: uuid.UUID) -> Waiting | None:
    """The upload, if this user sent it, it is not too old, and it is what was sent."""
    forget_old()
    path = settings.WAITING_UPLOADS / f"{token}{_CONTENT}"
    try:
        about = json.loads(path.with_suffix(_ABOUT).read_text())
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except FileNotFoundError:
        return None
    if about["user"] != user.pk or about["sha256"] != digest:
        return None
    until = datetime.fromisoformat(about["at"]) + KEPT_FOR
    return Waiting(token=token, name=about["name"], path=path, until=until)


def forget(token: uuid.UUID) -> None:
    """Delete an upload, imported or not wanted."""
    for ending in (_ABOUT, _CONTENT):
        (settings.WAITING_UPLOADS / f"{token}{ending}").unlink(missing_ok=True)


def forget_old() -> None:
    """Delete every upload that waited too long."""
    oldest = (timezone.now() - KEPT_FOR).timestamp()
    for path in _files():
        try:
            if path.stat().st_mtime < oldest:
                path.unlink()
        except FileNotFoundError:
            continue


def _files() -> Iterator[Path]:
    folder = settings.WAITING_UPLOADS
    return folder.iterdir() if folder.is_dir() else iter(())


def _new(path: Path):
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
