"""PlatformIO without a network, and the AVR simulator that runs what it builds."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from simulated_avr import Example, Simulate, SimulatedAvr

HERE = Path(__file__).resolve().parent

Pio = Callable[..., str]


@pytest.fixture(scope="session")
def pio_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the project's environments are built: build/ENVIRONMENT."""
    return tmp_path_factory.mktemp("pio")


@pytest.fixture(scope="session")
def pio(project: Path, pio_workspace: Path) -> Pio:
    """``pio(*arguments)``: what PlatformIO prints; from an empty core directory, every way to the network leading nowhere."""

    def run(*arguments: str | Path) -> str:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), address)
            workspace = {"PLATFORMIO_WORKSPACE_DIR": str(pio_workspace), "no_proxy": "", "NO_PROXY": ""}
            if arguments[0] == "ci":  # makes a project of its own; all of them need the same core
                workspace = {"PLATFORMIO_BUILD_CACHE_DIR": str(pio_workspace / "cache")}
            prepare = [sys.executable, project / "firmware/platformio/prepare.py", "--core-dir", pio_workspace / "core"]
            done = subprocess.run(
                [*prepare, "pio", *arguments],
                cwd=project,
                env={**os.environ, **proxies, **workspace},
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
            said = done.stdout + done.stderr
            assert done.returncode == 0, said
            assert "warning" not in said, said
            listener.setblocking(False)
            with pytest.raises(BlockingIOError):  # nobody called
                listener.accept()
        return said

    return run


@pytest.fixture(scope="session")
def pio_build(pio: Pio, pio_workspace: Path) -> Callable[[str], Path]:
    """``pio_build(environment)``: the folder of an environment of the project, built."""
    built = set()

    def build(environment: str) -> Path:
        if environment not in built:
            pio("run", "--environment", environment)
            built.add(environment)
        return pio_workspace / "build" / environment

    return build


@pytest.fixture(scope="session")
def simulate(
    tmp_path_factory: pytest.TempPathFactory, needs_tool: Callable[[str, str], str], tool_missing: Callable[[str], object]
) -> Simulate:
    """``simulate(chip, elf)``: a running chip, a context manager."""
    if not Path("/usr/include/simavr/sim_avr.h").exists():
        tool_missing("libsimavr is missing (Debian packages libsimavr-dev, libelf-dev)")
    program = tmp_path_factory.mktemp("simulator") / "simulated_avr"
    flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
    source = HERE / "simulated_avr.c"
    subprocess.run([needs_tool("gcc", "gcc"), *flags, source, "-o", program, "-lsimavr", "-lelf"], check=True)
    return lambda chip, elf: SimulatedAvr(program, chip, elf)


@pytest.fixture(scope="session")
def arduino_core(tool_missing: Callable[[str], object]) -> None:
    """The Arduino core for AVR must be installed."""
    if not Path("/usr/share/arduino/hardware/arduino/avr/cores").is_dir():
        tool_missing("the Arduino core is missing (Debian package arduino-core-avr)")


@pytest.fixture(scope="session")
def library(project: Path) -> Path:
    """firmware/lib/anp."""
    return project / "firmware/lib/anp"


@pytest.fixture(scope="session")
def example(pio: Pio, library: Path, tmp_path_factory: pytest.TempPathFactory, arduino_core: None) -> Example:
    """``example(name, *boards)``: the folder with an example's builds, compiled against the library as it would be installed."""
    built: dict[tuple[str, ...], Path] = {}

    def build(name: str, *boards: str) -> Path:
        if (name, *boards) not in built:
            folder = tmp_path_factory.mktemp(name)
            chosen = [argument for board in boards or ("uno",) for argument in ("--board", board)]
            options = ["--project-option", "platform=atmelavr", "--build-dir", str(folder), "--keep-build-dir"]
            pio("ci", "--lib", library, *options, *chosen, library / "examples" / name)
            built[name, *boards] = folder / ".pio/build"
        return built[name, *boards]

    return build
