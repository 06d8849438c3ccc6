"""Every environment variable, read once. A wrong value stops the start with a sentence."""

import os
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent

OPENBLAS = "OPENBLAS_NUM_THREADS"
"""In how many parts numpy and SciPy add up: of that the last digit of a sum depends, and memory."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """What the surroundings say, checked. Times in minutes, sizes in bytes."""

    data: Path
    database: dict
    secret_key: str
    debug: bool
    allowed_hosts: list[str]
    https: bool
    trusted_origins: list[str]
    idle_minutes: int
    time_zone: str


def _boolean(name: str, default: bool) -> bool:
    text = os.environ.get(name, "").strip().lower()
    if not text:
        return default
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} is {text!r}. Valid are true and false.")


def _whole_number(name: str, default: int, low: int, high: int) -> int:
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        raise ImproperlyConfigured(f"{name} is {text!r}. Valid is a whole number from {low} to {high}.")
    return int(text)


def _words(name: str, default: list[str], valid: str, pattern: str) -> list[str]:
    text = os.environ.get(name, "")
    words = [word.strip() for word in text.split(",") if word.strip()]
    for word in words:
        if re.fullmatch(pattern, word, re.ASCII) is None:
            raise ImproperlyConfigured(f"{name} holds {word!r}. Valid are {valid}, joined by commas.")
    return words or default


def _data_folder() -> Path:
    folder = Path(os.environ.get("STSCLINIC_DATA", "").strip() or ROOT / "var").resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ImproperlyConfigured(
            f"STSCLINIC_DATA is {str(folder)!r}. Valid is a folder that this program may write: {error.strerror}."
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(
            f"STSCLINIC_DATA is {str(folder)!r}. Valid is a folder that this program may write."
        )
    return folder


def _database(data: Path) -> dict:
    url = os.environ.get("DATABASE_URL", "").strip()
    if not url:
        file = data / "stsclinic.sqlite3"
        # SQLite gives its journals the mode of the database; the folder may have been made by hand.
        with suppress(FileExistsError):
            os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file)}
    # Looked at first, since the parser warns of an unknown scheme with the password in its warning.
    if re.match(r"(postgres|postgresql|sqlite)://", url):
        with suppress(Exception):
            database = environ.Env.db_url_config(url)
            if database["NAME"]:
                return database
    raise ImproperlyConfigured(
        "DATABASE_URL is not understood. Valid is postgres://user:password@host:port/name, or leave it empty for SQLite."
    )


def _secret_key(data: Path) -> str:
    given = os.environ.get("SECRET_KEY", "").strip()
    if given:
        if len(given) < 50 or len(set(given)) < 5:
            raise ImproperlyConfigured(
                "SECRET_KEY is too short or too plain. Valid are 50 characters or more, made at random."
            )
        return given
    file = data / "secret_key"
    if not file.exists():
        _write_once(file, secrets.token_urlsafe(64))
    kept = file.read_text().strip()
    if len(kept) < 50:
        raise ImproperlyConfigured(
            f"{str(file)!r} holds no secret key. Remove it, and a new one is made; everybody signs in again."
        )
    return kept


def _write_once(file: Path, text: str) -> None:
    """Write a file that only its owner may read; of two processes, one wins and no one reads half of it."""
    draft = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
    with suppress(FileExistsError):
        os.link(draft, file)
    draft.unlink()


def _time_zone() -> str:
    from zoneinfo import ZoneInfo

    name = os.environ.get("TIME_ZONE", "").strip() or "UTC"
    try:
        ZoneInfo(name)
    except Exception as error:
        raise ImproperlyConfigured(
            f"TIME_ZONE is {name!r}. Valid is a name such as Europe/Copenhagen."
        ) from error
    return name


def read() -> Environment:
    """Read and check all variables. Unless somebody said otherwise, numpy adds up in one part, so that the number of
    processors changes no digit of a report.

    Raises:
        ImproperlyConfigured: a value is wrong; the sentence says what is valid.
    """
    os.environ.setdefault(OPENBLAS, "1")
    data = _data_folder()
    return Environment(
        data=data,
        database=_database(data),
        secret_key=_secret_key(data),
        debug=_boolean("DEBUG", False),
        allowed_hosts=_words(
            "ALLOWED_HOSTS",
            ["127.0.0.1", "localhost", "[::1]"],
            "host names such as clinic.example.org, without scheme and port",
            # A lone * would let a stranger choose the host that links in answers bear.
            r"\.?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]",
        ),
        https=_boolean("HTTPS", False),
        trusted_origins=_words(
            "TRUSTED_ORIGINS",
            [],
            "addresses such as https://clinic.example.org, with the scheme and without a path",
            r"https?://(\*\.)?[A-Za-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?",
        ),
        idle_minutes=_whole_number("IDLE_MINUTES", 15, 1, 480),
        time_zone=_time_zone(),
    )
