"""The application as a clinic runs it: gunicorn in a process of its own, on data of its own.

Not Django's live server: that one empties the tables after each test, which the append-only
history refuses, and serves neither compressed files nor several requests at a time.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "demonstration-only-7"
START_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server: its address, the password of the demonstration's users, and its data folder."""

    url: str
    password: str
    data: Path
    environment: dict[str, str]

    def manage(self, *arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command of manage.py on this server's data; its output is text.

        Raises:
            AssertionError: the command failed, where `check` is asked; the message holds its output.
        """
        return manage(self.environment, *arguments, check=check)


def environment(data: Path, database_url: str = "") -> dict[str, str]:
    """The surroundings of a process of the application that knows `data` and `database_url` alone."""
    passed = ("PATH", "HOME", "LANG", "TMPDIR")
    found = {name: os.environ[name] for name in passed if name in os.environ}
    found |= {"STSCLINIC_DATA": str(data), "DEMO_PASSWORD": PASSWORD}
    if database_url:
        found["DATABASE_URL"] = database_url
    return found


def manage(
    surroundings: dict[str, str], *arguments: str | Path, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run `manage.py` with the arguments; see Server.manage."""
    command = [sys.executable, str(ROOT / "manage.py"), *map(str, arguments)]
    done = subprocess.run(
        command, cwd=ROOT, env=surroundings, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert not check or done.returncode == 0, (
        f"{command} gave {done.returncode}:\n{done.stdout}\n{done.stderr}"
    )
    return done


@contextmanager
def running_server(data: Path, database_url: str = "", *, demonstration: bool = True) -> Iterator[Server]:
    """Migrate, collect the static files, load the demonstration and serve, until the block ends.

    Raises:
        RuntimeError: it did not answer within a minute; the message holds its log.
    """
    surroundings = environment(data, database_url)
    manage(surroundings, "migrate", "--verbosity", "0")
    manage(surroundings, "collectstatic", "--noinput", "--verbosity", "0")
    if demonstration:
        manage(surroundings, "load_demo")
    log = data / "server.log"
    # The socket is opened here and inherited, so that no other process can take the port in between.
    with socket.create_server(("127.0.0.1", 0)) as listener, log.open("wb") as stream:
        port = listener.getsockname()[1]
        command = [str(Path(sys.executable).parent / "gunicorn"), "--config", "python:stsclinic.server"]
        command += ["--bind", f"fd://{listener.fileno()}", "stsclinic.wsgi"]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=surroundings,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            pass_fds=[listener.fileno()],
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(process, url, log)
        yield Server(url=url, password=PASSWORD, data=data, environment=surroundings)
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class MortalServer:
    """A server that is killed as by a power cut, and started again at the same address on the same data."""

    def __init__(self, data: Path, database_url: str = ""):
        self.environment = environment(data, database_url)
        self._log = data / "server.log"
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self._port = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen | None = None
        manage(self.environment, "migrate", "--verbosity", "0")
        manage(self.environment, "collectstatic", "--noinput", "--verbosity", "0")

    def start(self) -> None:
        """Serve, in a process group of its own; give it back when it answers."""
        command = [str(Path(sys.executable).parent / "gunicorn"), "--config", "python:stsclinic.server"]
        with self._log.open("ab") as stream:
            self._process = subprocess.Popen(
                [*command, "--bind", f"127.0.0.1:{self._port}", "stsclinic.wsgi"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        _wait_for(self._process, self.url, self._log)

    def kill(self) -> None:
        """End every process of it at once, whatever it is doing."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def manage(self, *arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """See Server.manage."""
        return manage(self.environment, *arguments, check=check)


def _wait_for(process: subprocess.Popen, url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"The server did not start:\n{log.read_text()[-4000:]}")
