"""Checks the types of the firmware in MicroPython against the stubs of the Pico's port.

The stubs replace Python's own standard library, so that mypy runs apart from that of the host, and sees nothing else that is
installed.
"""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
STUBS = ("micropython-rp2-rpi-pico-stubs", "micropython-stdlib-stubs")


def link_stubs(folder: Path) -> None:
    """Puts links to the stubs' files and folders into an empty folder."""
    for package in STUBS:
        distribution = importlib.metadata.distribution(package)
        for name in sorted({path.parts[0] for path in distribution.files or ()}):
            if not name.endswith(".dist-info") and not (folder / name).exists():
                (folder / name).symlink_to(Path(str(distribution.locate_file(name))).resolve())
    (folder / "stubs").mkdir(exist_ok=True)


def main() -> int:
    """Command line; arguments go to mypy."""
    with tempfile.TemporaryDirectory(prefix="mtjlearn-stubs-") as folder:
        link_stubs(Path(folder))
        command = [sys.executable, "-m", "mypy", "--config-file", "firmware/micropython/mypy.ini"]
        command += ["--custom-typeshed-dir", folder, "--cache-dir", ".mypy_cache/micropython", *sys.argv[1:]]
        environment = os.environ | {"MYPYPATH": f"{folder}{os.pathsep}firmware/micropython"}
        return subprocess.run(command, cwd=PROJECT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
