"""Full disks of real sizes: `mtjlearn train` and `noise` in a tmpfs of 20 sizes from 4 kB to 8 MB. Needs root.

No command may end in a traceback, leave a draft or a run that says it runs, and every run that is left must resume once
there is room.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

SIZES = [round(4096 * 2 ** (11 * step / 19)) for step in range(20)]
MAKE_ROOM = "64m"
MARGIN = 600.0
TRAIN = ("train", "xor", "--board", "native", "--epochs", "2", "--no-reference")
NOISE = ("noise", "--board", "native", "--codes", "4000")


@contextlib.contextmanager
def disk(folder: Path, size: int) -> Iterator[Path]:
    """A disk of this many bytes."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs mtjlearn."""
    words = [sys.executable, "-c", "from mtjlearn.cli import main; main()", *map(str, arguments), "--json"]
    return subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=MARGIN, check=False)


def check(folder: Path, size: int, arguments: tuple[str, ...]) -> str:
    """Runs a command on a full disk, then makes room and resumes; how it ended."""
    with disk(folder, size):
        found = command(*arguments, "--runs", folder / "runs")
        assert "Traceback" not in found.stderr + found.stdout, found.stderr
        assert found.returncode in (0, 2), found.stderr
        assert found.returncode == 0 or "error" in json.loads(found.stdout.splitlines()[-1])
        left = sorted((folder / "runs").glob("*")) if (folder / "runs").exists() else []
        drafts = list(folder.rglob(".*"))
        assert not drafts, drafts
        states = [json.loads((run / "meta.json").read_text())["state"] for run in left]
        assert states == (["finished"] if found.returncode == 0 else ["interrupted"] * len(left)) or arguments is NOISE, states
        subprocess.run(["mount", "-o", f"remount,size={MAKE_ROOM}", folder], check=True)
        if arguments is TRAIN and found.returncode == 2 and left:
            again = command("train", "--resume", left[0])
            assert again.returncode == 0, again.stderr
            assert json.loads((left[0] / "meta.json").read_text())["state"] == "finished"
            return f"resumed: {found.stderr.splitlines()[-1]}"
        return f"exit {found.returncode}: {found.stderr.splitlines()[-1] if found.returncode else 'finished'}"


def main() -> None:
    """All sizes."""
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            for arguments in (TRAIN, NOISE):
                print(f"{size:>9,} bytes  {arguments[0]:6} {check(Path(folder), size, arguments)}", flush=True)


if __name__ == "__main__":
    main()
