"""Where mutants.py tries its mutants: a copy of the sources, what is built from it, and children that run its tests."""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
import reach

PROJECT = Path(__file__).resolve().parents[2]
NO_TESTS = 5
"""pytest's exit code where no test has the marks."""
OUTSIDE = """import sys
# The tree's own package, not the one that was installed editable.
sys.meta_path[:] = [finder for finder in sys.meta_path if not type(finder).__module__.startswith("_editable_skbc_mtjlearn")]
"""


class Place:
    """A copy of the sources that may be changed, what is built from it, and how its tests run."""

    def __init__(self, sources: Path, folder: Path) -> None:
        self.sources = sources
        self.tree, self.native, self.site, self.log = (folder / name for name in ("tree", "native", "site", "last.log"))
        self._is_built = self.is_python_changed = False
        for path in sources.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                self.write(path.relative_to(sources).as_posix(), path.read_bytes())
        self.site.mkdir(exist_ok=True)
        (self.site / "sitecustomize.py").write_text(OUTSIDE + reach.OUTSIDE)
        # CMake would run again after each change, and turn.c would be compiled again with another build id.
        options = ("-DSKBUILD_STATE=editable", "-DCMAKE_SUPPRESS_REGENERATION=ON", "-DCMAKE_C_FLAGS_RELEASE=-O1")
        generator = ("-G", "Ninja") if shutil.which("ninja") else ()
        command = ["cmake", *generator, "-S", self.tree / "firmware", "-B", self.native, *options]
        subprocess.run(command, capture_output=True, check=True)

    def write(self, name: str, content: bytes) -> None:
        """Changes a file of the tree; one that has this content already keeps its time, so that nothing is built again."""
        path = self.tree / name
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            self._is_built &= path.suffix != ".c"
            self.is_python_changed |= path.suffix == ".py"

    def restore(self, name: str) -> None:
        """Gives a file of the tree its content back."""
        self.write(name, (self.sources / name).read_bytes())
        self.is_python_changed = False

    def build(self) -> bool:
        """Builds the native board and the library if a source of theirs changed; False if the compiler refuses."""
        if not self._is_built:
            self._is_built = subprocess.run(["cmake", "--build", self.native], capture_output=True, check=False).returncode == 0
        return self._is_built

    def preload(self, modules: Iterable[str]) -> None:
        """Imports libraries and modules of the tree, as long as it is unchanged, for the children."""
        sys.path[:0] = [str(self.tree / "host"), str(self.tree / "tests/support")]
        exec(OUTSIDE)
        for name in modules:
            importlib.import_module(name)

    def forget(self) -> None:
        """Lets a child import what is in the tree now."""
        for name, module in list(sys.modules.items()):
            if (getattr(module, "__file__", None) or "").startswith(f"{self.tree}{os.sep}"):
                del sys.modules[name]

    def test(self, arguments: list[str], plugin: object, timeout: float) -> bool:
        """Whether pytest passes in a child of this process, which has its libraries already; whatever that started is ended."""
        sys.stdout.flush()
        child, has_ended = os.fork(), 0
        if child == 0:
            self._run(arguments, plugin)
        end = time.monotonic() + timeout
        try:
            while time.monotonic() < end and not has_ended:
                has_ended, status = os.waitpid(child, os.WNOHANG)
                time.sleep(0 if has_ended else 0.05)
            return bool(has_ended) and os.waitstatus_to_exitcode(status) in (0, NO_TESTS)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            if not has_ended:
                os.waitpid(child, 0)

    def caught_by(self) -> str:
        """The first test that failed in the last run; empty if none did, or if the run was ended."""
        lines = self.log.read_text(errors="replace").splitlines()
        return next((line.split()[1] for line in lines if line.startswith(("FAILED ", "ERROR "))), "")

    def _run(self, arguments: list[str], plugin: object) -> None:
        code = 1
        try:
            os.setsid()
            with self.log.open("wb") as log, open(os.devnull, "rb") as nothing:
                for file, number in ((nothing, 0), (log, 1), (log, 2)):
                    os.dup2(file.fileno(), number)
            sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
            os.chdir(self.tree)
            # To look for plugins takes longer than most tests.
            os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
            os.environ.update(PYTHONPATH=f"{self.site}{os.pathsep}{self.tree / 'host'}", MTJLEARN_NATIVE=str(self.native))
            if self.is_python_changed:
                self.forget()
            sys.path[:] = [str(self.site), str(self.tree / "host"), *(one for one in sys.path if str(PROJECT / "tests") not in one)]
            exec(OUTSIDE)
            first_only = ["-x"] if isinstance(plugin, reach.Trial) else []
            options = ["-q", "-p", "no:cacheprovider", "--board", "native", *first_only]
            code = pytest.main([*options, *arguments], plugins=[plugin])
        finally:
            sys.stdout.flush()
            os._exit(int(code))
