"""README and docs are true: each block of code is run as a reader would run it, each command, option, link and path exists.

What needs hardware or an installer is run with a stand-in: a port is a virtual board, a firmware is only built. Whatever is new
in a page and fits none of the rules below fails with the line that nobody runs.
"""

from __future__ import annotations

import contextlib
import glob
import re
import shlex
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from images_support import write_idx_set
from places import PROJECT
from training_support import Watcher, interrupt_after, write_csv

from mtjlearn.cli import main
from mtjlearn.runs import Run
from mtjlearn.training import default_plan, train

NeedsTool = Callable[[str, str], str]

PAGES = sorted(path for pattern in ("*.md", "docs/**/*.md", "examples/*.md", "tests/*.md") for path in PROJECT.glob(pattern))
BLOCK = re.compile(r"^ *```([^`\n]*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"`(mtjlearn [^`]+)`")
MAKE = re.compile(r"`make ([a-z][\w-]*)[^`]*`")
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)")
RUN = "runs/20260101-120000-train-digits-s0"
FINISHED = "runs/20260101-120000-train-measurements-s0"
DEMO = "runs/20260101-120000-demo-iris-s0"
PORT, URL = "/dev/ttyACM0", "socket://127.0.0.1:4000"
IMAGE, TERMINAL = "PATH", re.compile(r"/dev/pts/\d+")
QUICKER = {
    "train digits": ["--epochs", "1", "--no-reference"],
    **{f"train {data}": ["--epochs", "3"] for data in ("iris", "wine", "measurements.csv")},
    "train fashion-mnist": ["--epochs", "1", "--samples", "64", "--data-dir", "images"],
    "sweep iris": ["--epochs", "1"],
    "validate": ["--steps", "20", "--exact-only"],
    "flash --board pico-micropython": ["--dry-run"],
    "flash --board esp32-micropython": ["--dry-run"],
    "flash": ["--dry-run", "--offline"],
}
"""Added to commands that otherwise take a minute, or hardware."""
ELSEWHERE = {
    "mtjlearn demo": "tests/unit/cli/test_cli_demo.py",
    "mtjlearn dashboard": "tests/browser",
    "mtjlearn experiment cost-to-target": "tests/bench/test_bench_cost.py",
    "mtjlearn experiment rates": "tests/unit/training/test_rates.py",
    "mtjlearn reproduce": "tests/unit/reproduction",
    **dict.fromkeys(("dask ", "MTJLEARN_BOARD=", "mtjlearn sweep digits --over"), "tests/unit/sweeps/test_sweeps_dask.py"),
    "mtjlearn sweep iris --over eta=.05,.1,.2": "tests/unit/sweeps/test_sweeps_boards.py",
    "pio run": "tests/platformio/builds",
    **dict.fromkeys(("pio ci flower", "pio device"), "tests/platformio/builds/test_own_sketch.py"),
    "pio ci --lib firmware/lib/anp": "tests/platformio/builds/test_library_examples.py",
    "mtjlearn flash --board mega1280": "tests/platformio/builds",
}
"""What other tests run, and where."""


SHORT = {"README.md"}
"""What everybody tries first is tried in every run; the others are slow."""
SLOW_PYTHON = {"sweeps.md"}
"""Pages whose Python takes some seconds."""


def blocks(page: Path, language: str) -> list[str]:
    return [code for name, code in BLOCK.findall(page.read_text(encoding="utf-8")) if name == language]


def lines(page: Path) -> list[str]:
    """The commands of a page, in order; a line that ends in a backslash continues."""
    text = "\n".join(blocks(page, "sh")).replace("\\\n", " ")
    return [line for raw in text.splitlines() if (line := raw.partition(" #")[0].strip()) and not line.startswith("#")]


WITH_COMMANDS = [page for page in PAGES if lines(page)]
WITH_PYTHON = [page for page in PAGES if blocks(page, "python")]


def name_of(page: Path) -> str:
    return page.relative_to(PROJECT).as_posix()


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, needs_tool: NeedsTool) -> Iterator[Reader]:
    monkeypatch.chdir(tmp_path)
    with Reader(tmp_path, needs_tool) as found:
        yield found


class Reader:
    """Somebody who types the commands of a page in a directory of their own; boards that they start stay until they leave."""

    def __init__(self, folder: Path, needs_tool: NeedsTool) -> None:
        self._folder = folder
        self._needs_tool = needs_tool
        self._boards = contextlib.ExitStack()
        self._words: dict[str, str] = {}

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._boards.close()

    def do(self, line: str) -> None:
        for start, action in self._actions().items():
            if line.startswith(start):
                action(line)
                return
        raise AssertionError(f"no rule runs this line: {line}")

    def _actions(self) -> dict[str, Callable[[str], None]]:
        return {
            "make ": self._make,
            "pip install ": self._extras,
            "sudo apt-get install ": self._packages,
            **dict.fromkeys(ELSEWHERE, self._elsewhere),
            "mtjlearn ": self._mtjlearn,
            "python -c ": self._python,
            "qemu-system-arm ": self._qemu,
            "git ": lambda line: None,
        }

    def _make(self, line: str) -> None:
        target = shlex.split(line)[1]
        made = subprocess.run(["make", "-n", target], cwd=PROJECT, capture_output=True, text=True, check=False)
        assert made.returncode == 0, made.stderr

    def _extras(self, line: str) -> None:
        extras = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
        cmake = (PROJECT / "firmware" / "CMakeLists.txt").read_text(encoding="utf-8")
        for word in shlex.split(line)[2:]:
            if word.startswith("--config-settings=cmake.define."):
                assert f"option({word.split('.')[-1].partition('=')[0]} " in cmake, line
            else:
                assert word in (".", "-e") or set(word.partition("[")[2].rstrip("]").split(",")) <= set(extras), line

    def _packages(self, line: str) -> None:
        known = (PROJECT / "tests" / "system-packages.sh").read_text(encoding="utf-8")
        assert all(re.search(rf"^need .*\b{re.escape(word)}\b", known, re.MULTILINE) for word in shlex.split(line)[3:]), line

    def _elsewhere(self, line: str) -> None:
        (place,) = [place for start, place in ELSEWHERE.items() if line.startswith(start)]
        assert (PROJECT / place).exists()

    def _python(self, line: str) -> None:
        self._needs_tool("arm-none-eabi-gcc", "gcc-arm-none-eabi")
        run = subprocess.run([sys.executable, *shlex.split(line)[1:]], capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        self._words[IMAGE] = run.stdout.strip()

    def _qemu(self, line: str) -> None:
        """A board in QEMU that stays, on the pseudo-terminal that it prints."""
        self._needs_tool("qemu-system-arm", "qemu-system-arm")
        words = [self._words.get(word, word) for word in shlex.split(line)]
        board = self._boards.enter_context(subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
        self._boards.callback(board.kill)
        assert board.stdout is not None
        found = next(filter(None, map(TERMINAL.search, board.stdout)))
        self._words["/dev/pts/N"] = found[0]

    def _mtjlearn(self, line: str) -> None:
        words = shlex.split(line)[1:]
        if words[:2] == ["boards", "start"]:
            self._start(words)
            return
        if PORT in words and PORT not in self._words:
            self._start(["boards", "start", "native", "--tcp", "0"])
            self._words[PORT] = self._words[URL]
        self._prepare(words)
        words = [found for word in words for found in self._expanded(self._words.get(word, word))]
        for start, more in QUICKER.items():
            if " ".join(words).startswith(start):
                words += more
                break
        run = subprocess.run(
            [sys.executable, "-m", "mtjlearn", *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
        )
        assert run.returncode == 0, f"{line}\n{run.stdout}{run.stderr}"

    @staticmethod
    def _expanded(word: str) -> list[str]:
        """What a shell makes of a word."""
        return sorted(glob.glob(word)) if word.startswith("runs/*") else [word]

    def _prepare(self, words: list[str]) -> None:
        """Makes the files that a page takes for granted."""
        if "measurements.csv" in words:
            rng = np.random.default_rng(1)
            rows = rng.normal(size=(80, 3))
            write_csv(
                self._folder / "measurements.csv",
                ["id", "a", "b", "quality"],
                [(i, *row[:2], row @ (1, 2, 0)) for i, row in enumerate(rows)],
            )
        if "fashion-mnist" in words:
            write_idx_set(self._folder / "images", train=64)
        if RUN in words and RUN not in self._words:
            plan = default_plan("xor", seed=1, epochs=40, board="native", reference=False)
            run = Run.create(Path("runs"), "train", plan.name, plan.seed, plan.config())
            with pytest.raises(KeyboardInterrupt):
                train(plan, run, Watcher(interrupt_after(1000)))
            self._words[RUN] = str(run.path)
        if FINISHED in words:
            self._prepare(["measurements.csv"])
            self._finish(FINISHED, "measurements.csv", target="quality")
        if DEMO in words:
            self._finish(DEMO, "iris")

    def _finish(self, name: str, data: str, **options: Any) -> None:
        """Makes the run that a page calls by this name."""
        if name not in self._words:
            plan = default_plan(data, seed=1, epochs=2, board="native", reference=False, **options)
            finished = Run.create(Path("runs"), "train", plan.name, plan.seed, plan.config())
            train(plan, finished, Watcher())
            self._words[name] = str(finished.path)

    def _start(self, words: list[str]) -> None:
        """A board that stays, on a port that is free."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            free = str(server.getsockname()[1])
        words = [free if before == "--tcp" else word for before, word in zip(["", *words], words, strict=False)]
        board = subprocess.Popen(
            [sys.executable, "-m", "mtjlearn", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._boards.callback(self._stop, board)
        assert board.stdout is not None
        for said in board.stdout:
            if free in said:
                break
        else:
            raise AssertionError(f"{words} has not started")
        self._words[URL] = f"socket://127.0.0.1:{free}"

    @staticmethod
    def _stop(board: subprocess.Popen[str]) -> None:
        board.send_signal(signal.SIGINT)
        with board:
            board.communicate(timeout=60)
        assert board.returncode in (0, 130)


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=() if page.name in SHORT else pytest.mark.slow) for page in WITH_COMMANDS],
    ids=lambda page: name_of(page),
)
def test_commands(page: Path, reader: Reader) -> None:
    for line in lines(page):
        reader.do(line.replace(".venv/bin/", ""))


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=pytest.mark.slow if page.name in SLOW_PYTHON else ()) for page in WITH_PYTHON],
    ids=lambda page: name_of(page),
)
def test_python(page: Path, reader: Reader) -> None:
    for code in blocks(page, "python"):
        if "import torch" in code:
            pytest.importorskip("torch", reason="torch is not installed: make test-torch installs and tests it")
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_in_the_text_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for line in COMMAND.findall(text):
        command: click.Command = main
        for word in re.split(r"[ |]", line.replace("\\|", " "))[1:]:
            if word == "...":
                break
            if word.startswith("--"):
                names = {name for parameter in command.params for name in parameter.opts}
                assert word.partition("=")[0] in names | {"--help"}, f"{line}: no option {word}"
            elif isinstance(command, click.Group) and (found := command.get_command(click.Context(command), word)):
                command = found
    targets = re.findall(r"^([\w.-]+(?: [\w.-]+)*):(?!=)", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    known = {word for names in targets for word in names.split()}
    assert {target for target in MAKE.findall(text) if not target.startswith("soak-")} <= known


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files(page: Path) -> None:
    missing = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()]
    assert not missing
