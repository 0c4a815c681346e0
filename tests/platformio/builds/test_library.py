"""firmware/lib/anp as a library for others: what it reports about itself, and its examples on simulated boards."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
import tomllib
from pathlib import Path

import pytest
from platformio.package.exception import ManifestValidationError
from platformio.package.manifest.schema import ManifestSchema
from platformio.package.pack import PackagePacker
from simulated_avr import Example, Simulate

CATEGORIES = (
    *("Display", "Communication", "Signal Input/Output", "Sensors", "Device Control", "Timing"),
    *("Data Storage", "Data Processing", "Other"),
)
TOP_FILES = {"library.json", "library.properties", "LICENSE", "README.md"}
CHIPS = {"uno": "atmega328p", "megaatmega2560": "atmega2560"}
"""Simulated chips by PlatformIO's names of their boards."""


def test_descriptions_agree(library: Path, project: Path) -> None:
    description = json.loads((library / "library.json").read_text(encoding="utf-8"))
    lines = (library / "library.properties").read_text(encoding="utf-8").splitlines()
    properties = dict(line.split("=", 1) for line in lines)
    version = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert description["version"] == properties["version"] == version
    assert description["name"] == properties["name"]
    assert description["headers"] == properties["includes"] == "anp.h"
    project_table = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert description["repository"]["url"] == project_table["urls"]["Repository"]
    assert description["license"] == project_table["license"]
    assert description["homepage"] == properties["url"]
    assert [author["name"] for author in description["authors"] if author["maintainer"]] == [properties["maintainer"]]
    assert (library / "LICENSE").read_bytes() == (project / "LICENSE").read_bytes()
    examples = sorted(path.name for path in (library / "examples").iterdir())
    assert sorted(entry["name"] for entry in description["examples"]) == examples
    for entry in description["examples"]:
        assert all((library / entry["base"] / name).is_file() for name in entry["files"])


def test_arduinos_rules(library: Path) -> None:
    """docs.arduino.cc/arduino-cli/library-specification, and what arduino-lint reports as an error."""
    lines = (library / "library.properties").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[a-z_]+=\S.*", line) for line in lines)
    properties = dict(line.split("=", 1) for line in lines)
    required = {"name", "version", "author", "maintainer", "sentence", "paragraph", "category", "url", "architectures"}
    assert required <= set(properties) <= required | {"includes", "depends", "license", "dot_a_linkage", "precompiled", "ldflags"}
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,62}", properties["name"])
    assert "arduino" not in properties["name"].lower()  # reserved for Arduino's own
    assert re.fullmatch(r"\d+\.\d+\.\d+", properties["version"])
    assert properties["category"] in CATEGORIES
    assert re.fullmatch(r"https?://\S+\.\S+", properties["url"])
    assert not properties["paragraph"].startswith(properties["sentence"])  # they are shown one behind the other
    assert all((library / "src" / header).is_file() for header in properties["includes"].split(","))
    # The library's folder is installed as it is.
    assert {path.name for path in library.iterdir()} <= {"src", "examples", "extras", "keywords.txt", *TOP_FILES}
    assert not [path for path in library.rglob("*") if path.is_symlink() or path.suffix == ".exe"]


def test_platformios_rules(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `pio pkg publish` packs with; it checks the manifest against PlatformIO's schema."""
    # Known licenses come from a server.
    monkeypatch.setattr(ManifestSchema, "load_spdx_licenses", lambda self: {"licenses": [{"licenseId": "MIT"}]})
    with tarfile.open(PackagePacker(str(library)).pack(str(tmp_path / "anp.tar.gz"))) as archive:
        packed = set(archive.getnames())
    assert {"library.json", "LICENSE", "README.md", "src/anp.h", "examples/XorFromNoise/XorFromNoise.ino"} <= packed
    description = json.loads((library / "library.json").read_text(encoding="utf-8"))
    assert {"name", "version", "description", "keywords", "repository", "authors", "license"} <= set(description)
    assert len(description["description"]) <= 255
    copy = shutil.copytree(library, tmp_path / "copy")
    (copy / "library.json").write_text(json.dumps(description | {"name": "no / slashes"}), encoding="utf-8")
    with pytest.raises(ManifestValidationError, match="name"):
        PackagePacker(str(copy)).pack(str(tmp_path / "refused.tar.gz"))


def test_keywords_are_the_interface(library: Path) -> None:
    lines = (library / "keywords.txt").read_text(encoding="utf-8").splitlines()
    words = {line.split("\t")[0] for line in lines if "\t" in line}
    header = (library / "src/anp.h").read_text(encoding="utf-8")
    assert not {word for word in words if not re.search(rf"\b{word}\b", header)}
    functions = set(re.findall(r"^(?:static inline )?[\w ]+?[ *](anp_\w+)\(", header, re.MULTILINE))
    assert functions <= words


@pytest.fixture(scope="session")
def xor_builds(example: Example) -> Path:
    return example("XorFromNoise", *CHIPS)


@pytest.mark.parametrize("board", [*CHIPS])
def test_xor_from_noise(xor_builds: Path, board: str, simulate: Simulate) -> None:
    with simulate(CHIPS[board], xor_builds / board / "firmware.elf") as chip:
        said = chip.read_until(b"Learned. Press reset").decode()
    answers = [float(answer) for answer in re.findall(r"answers (.*)", said)[-1].split()]
    assert answers == pytest.approx([-1, 1, 1, -1], abs=0.1)


def test_learn_a_sensor(example: Example, simulate: Simulate) -> None:
    with simulate("atmega328p", example("LearnASensor") / "uno/firmware.elf") as chip:
        said = b""
        while said.count(b"\n") < 12:
            said += chip.read()
        learning = errors(said)
        chip.write(b"p")
        said = b""
        while said.count(b"\n") < 4:
            said += chip.read()
    # The sensor at A3 is a linear mixture of those at A1 and A2, between 0 and 5 V.
    assert learning[0] > 0.3
    assert learning[-1] < 0.2
    assert errors(said)[-1] < 0.2


def errors(said: bytes) -> list[float]:
    return [float(error) for error in re.findall(r"error:([\d.]+)\r", said.decode())]
