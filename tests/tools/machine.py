"""What the tests need of the machine beside Python: Chromium, a PostgreSQL server, a reader of PDF, R."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_FLAGS = [
    # Chromium's sandbox refuses root; the tests only open pages of their own server.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # Without these the browser looks for its maker's hosts at each start.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
OLDEST_POSTGRESQL = 15


def chromium() -> str | None:
    """The path of the browser, or None where there is none."""
    return next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


def postgresql_programs() -> Path | None:
    """The folder that holds `initdb` and `postgres`, the newest one; None where there is none."""
    debian = sorted(
        (folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if (folder / "initdb").exists()),
        key=lambda folder: float(folder.parent.name),
    )
    if debian:
        return debian[-1] if float(debian[-1].parent.name) >= OLDEST_POSTGRESQL else None
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def pdf_reader(program: str = "pdftotext") -> str | None:
    """The path of a program of poppler-utils, or None where it is not installed."""
    return shutil.which(program)


def r_script() -> str | None:
    """The path of the program that runs a script in R, or None where it is not installed."""
    return shutil.which("Rscript")


def missing() -> list[str]:
    """The Debian packages of what is not there."""
    packages = []
    if not chromium():
        packages += ["chromium", "fonts-liberation"]
    if not postgresql_programs():
        packages += ["postgresql"]
    if not pdf_reader():
        packages += ["poppler-utils"]
    if not r_script():
        packages += ["r-base-core"]
    return packages


def provide() -> None:
    """Install what is missing where that is possible (Debian, root).

    Raises:
        SystemExit: something is missing and cannot be installed from here; the message says what.
    """
    packages = missing()
    if not packages:
        return
    wanted = " ".join(packages)
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        sys.exit(f"The tests need what is not on this machine. Install it first: apt-get install {wanted}")
    print(f"Installing {wanted}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--quiet=2", "--no-install-recommends", *packages]
    update = ["apt-get", "update", "--quiet=2"]
    for command in (update, install):
        subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    if still := missing():
        sys.exit(f"The installation did not succeed. Install first: apt-get install {' '.join(still)}")
