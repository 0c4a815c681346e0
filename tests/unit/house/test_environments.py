"""platformio.ini read by PlatformIO's own rules: what extends, refers and is common, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from mtjlearn.firmware import FirmwareError, firmware_root, images, uno_images
from mtjlearn.firmware.environments import Environment, read_environments
from mtjlearn.flashing import Target, list_targets


def read(folder: Path, text: str) -> dict[str, Environment]:
    (folder / "platformio.ini").write_text(text, encoding="utf-8")
    return read_environments(folder)


def test_every_environment_is_what_platformio_says(project: Path) -> None:
    config = pytest.importorskip("platformio.project.config").ProjectConfig(str(project / "platformio.ini"))
    found = read_environments(project)
    assert list(found) == config.envs()
    for name, environment in found.items():
        section = f"env:{name}"
        assert environment.board == config.get(section, "board", "")
        assert environment.source_filter.split() == " ".join(config.get(section, "build_src_filter")).split()
        assert list(environment.flags) == " ".join(config.get(section, "build_flags")).split()


def test_an_environment_that_only_extends_is_built_and_flashed(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (project / "platformio.ini").read_text(encoding="utf-8")
    (tmp_path / "platformio.ini").write_text(f"{text}\n[env:mine]\nextends = env:uno_streamed\n", encoding="utf-8")
    (tmp_path / "firmware").symlink_to(project / "firmware")
    monkeypatch.setattr(images, "firmware_root", lambda: tmp_path)
    assert uno_images() == ["uno", "uno_streamed", "nano", "nano_old", "mine"]
    mine, model = images.firmware_image("mine"), images.firmware_image("uno_streamed")
    assert mine.sources == model.sources
    assert mine.flags == model.flags
    assert list_targets(tmp_path)["mine"] == Target("mine", "uno", "uno", extends="uno", streamed_only=True)


def test_the_last_section_that_is_extended_counts_most(tmp_path: Path) -> None:
    text = "[env]\nboard = common\nbuild_flags = -DCOMMON\n[a]\nboard = a\n[b]\nboard = b\nextends = c\n[c]\nbuild_flags = -DC\n"
    found = read(tmp_path, f"{text}[env:both]\nextends = a, b\n[env:lines]\nextends =\n    b\n    a\n[env:none]\n")
    assert [found[name].board for name in ("both", "lines", "none")] == ["b", "a", "common"]
    assert [found[name].flags for name in ("both", "lines", "none")] == [("-DC",), ("-DC",), ("-DCOMMON",)]


def test_references_are_followed_and_know_whose_they_are(tmp_path: Path) -> None:
    text = "[env]\nbuild_flags = -DBOARD=${this.board}\n[env:a]\nboard = a\n[env:b]\nextends = env:a\nboard = b ; not a\n"
    text += "build_src_filter = +<boards/${this.board}/>\n"
    found = read(tmp_path, f"{text}[env:c]\nbuild_flags = ${{env:b.build_flags}} -O2\n")
    assert (found["b"].flags, found["c"].flags) == (("-DBOARD=b",), ("-DBOARD=b", "-O2"))
    assert (found["b"].folder, found["b"].extends) == ("b", ("a",))
    with pytest.raises(FirmwareError, match=r"\[env:c\] refers to \$\{this.board\}, which is not there"):
        read(tmp_path, f"{text}[env:c]\n")


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("[env:a]\nbuild_flags = ${nobody.build_flags}\n", r"\[env:a\] refers to \$\{nobody.build_flags\}, which is not there"),
        ("[env:a]\nbuild_flags = ${this.build_flags}\n", "leads back to itself"),
        ("build_flags = -O2\n", r"platformio.ini cannot be read \(.*; install mtjlearn again"),
    ],
    ids=["a reference to nothing", "a circle", "no section"],
)
def test_what_platformio_refuses_is_refused(tmp_path: Path, text: str, refused: str) -> None:
    with pytest.raises(FirmwareError, match=refused):
        read(tmp_path, text)


def test_the_images_of_the_uno_are_its_environments() -> None:
    assert set(uno_images()) == {name for name, one in list_targets(firmware_root()).items() if one.folder == "uno"}
