"""`pio run -e native` builds the virtual board without a network, and it is the same board as the one that CMake builds."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def pio_program(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The virtual board as PlatformIO builds it, from an empty core directory, with every way out leading to a dead end."""
    scratch = tmp_path_factory.mktemp("pio")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = f"http://127.0.0.1:{listener.getsockname()[1]}"
        proxies = {name: proxy for scheme in ("http", "https", "all") for name in (f"{scheme}_proxy", f"{scheme.upper()}_PROXY")}
        environment = {**os.environ, **proxies, "no_proxy": "", "PLATFORMIO_WORKSPACE_DIR": str(scratch / "workspace")}
        prepare = [sys.executable, project / "firmware/platformio/prepare.py", "--core-dir", scratch / "core"]
        command = [*prepare, "pio", "run", "--project-dir", project, "--environment", "native"]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody called
            listener.accept()
    return scratch / "workspace" / "build" / "native" / "program"


def test_built(pio_program: Path) -> None:
    assert pio_program.is_file()
