"""Where PlatformIO builds: an installed package is not written to."""

from __future__ import annotations

from pathlib import Path

import pytest

from mtjlearn.flashing.upload import _workspace


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PLATFORMIO_WORKSPACE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)


def test_a_checkout_builds_where_pio_itself_does(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    assert _workspace(tmp_path) == tmp_path / ".pio"


def test_an_installed_package_builds_in_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert _workspace(tmp_path) == tmp_path / "cache" / "mtjlearn" / "pio"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert _workspace(tmp_path) == tmp_path / "home" / ".cache" / "mtjlearn" / "pio"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "windows"))  # means nothing here
    assert _workspace(tmp_path) == tmp_path / "home" / ".cache" / "mtjlearn" / "pio"


def test_a_named_workspace_counts_before_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setenv("PLATFORMIO_WORKSPACE_DIR", "elsewhere")
    monkeypatch.chdir(tmp_path)
    assert _workspace(tmp_path) == tmp_path / "elsewhere"
