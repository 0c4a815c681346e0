"""Packages as a user installs them: built once, unpacked, and run by a Python that knows nothing of this checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mtjlearn.flashing.write_images import write_images

BUILD_TIMEOUT = RUN_TIMEOUT = 1200


def build_wheel(project: Path, folder: Path, **defines: str) -> Path:
    """The wheel that pip builds with these CMake options, which the checkout's own build is not to remember."""
    settings = [f"--config-settings=cmake.define.{name}={value}" for name, value in defines.items()]
    settings.append(f"--config-settings=build-dir={folder / 'build'}")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, *settings, project]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=BUILD_TIMEOUT)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


def unpack(wheel: Path, folder: Path) -> Path:
    """Unpacks a wheel as pip does."""
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            path = Path(archive.extract(entry, folder))
            path.chmod(entry.external_attr >> 16 & 0o777 or 0o644)
    return folder


@pytest.fixture(scope="session")
def wheel(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `make wheel` makes it; no warning of a compiler is let through."""
    images = tmp_path_factory.mktemp("images")
    write_images(images)
    return build_wheel(project, tmp_path_factory.mktemp("wheel"), MTJLEARN_IMAGES=str(images), MTJLEARN_WERROR="ON")


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the unpacked wheel."""
    return unpack(wheel, tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="session")
def without_native(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with a package without the native virtual board, as on Windows."""
    wheel = build_wheel(project, tmp_path_factory.mktemp("without"), MTJLEARN_NATIVE_BOARD="OFF")
    return unpack(wheel, tmp_path_factory.mktemp("without-native"))


@pytest.fixture(scope="session")
def run_installed() -> Callable[..., subprocess.CompletedProcess[str]]:
    """``run_installed(folder, *arguments, **environment)``: runs Python with the package of a folder and what it depends on."""
    others = Path(np.__file__).parents[1]

    def run(folder: Path, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        # The environment's own Python would find the editable package first.
        python = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
        variables = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{others}", **environment}
        variables.pop("MTJLEARN_NATIVE", None)
        return subprocess.run(
            [python, *arguments], env=variables, capture_output=True, text=True, check=False, timeout=RUN_TIMEOUT, cwd=folder
        )

    return run
