"""Write requirements.txt and tests/requirements.txt anew: the newest versions, each with its hashes."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = [
    "--upgrade",
    "--quiet",
    "--strip-extras",
    "--generate-hashes",
    "--allow-unsafe",
    # Where the packages were found is the affair of each machine.
    "--no-emit-options",
    "--no-emit-index-url",
    "--no-emit-trusted-host",
    "--no-emit-find-links",
]


def main() -> None:
    """Compile both; the tests' set is held to the versions of the runtime set."""
    surroundings = {**os.environ, "CUSTOM_COMPILE_COMMAND": "make requirements"}
    for folder in ("", "tests/"):
        command = [sys.executable, "-m", "piptools", "compile", *OPTIONS]
        command += ["--output-file", f"{folder}requirements.txt", f"{folder}requirements.in"]
        subprocess.run(command, cwd=ROOT, env=surroundings, check=True)


if __name__ == "__main__":
    main()
