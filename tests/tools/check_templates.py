"""Check the format of all templates with djade; with --write, put them into it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Give djade's exit code: 0 where all is well."""
    templates = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "templates").rglob("*.html"))
    if not templates:
        return 0
    mode = [] if "--write" in sys.argv[1:] else ["--check"]
    djade = Path(sys.executable).parent / "djade"
    command = [str(djade), "--target-version", "5.2", *mode, *templates]
    return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL).returncode


if __name__ == "__main__":
    sys.exit(main())
