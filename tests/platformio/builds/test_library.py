"""firmware/lib/anp as a library for others: what it reports about itself, and its examples on simulated boards."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from simulated_avr import Simulate

CHIPS = {"uno": "atmega328p", "megaatmega2560": "atmega2560"}


@pytest.fixture(scope="session")
def library(project: Path) -> Path:
    return project / "firmware/lib/anp"


@pytest.fixture(scope="session")
def example(pio: Callable[..., str], library: Path, tmp_path_factory: pytest.TempPathFactory, arduino_core: None) -> object:
    """``example(name)``: the folder with an example's builds, compiled against the library as it would be installed."""

    def build(name: str) -> Path:
        folder = tmp_path_factory.mktemp(name)
        boards = [argument for board in CHIPS for argument in ("--board", board)]
        options = ["--project-option", "platform=atmelavr", "--build-dir", str(folder), "--keep-build-dir"]
        pio("ci", "--lib", library, *options, *boards, library / "examples" / name)
        return folder / ".pio/build"

    return build


def test_descriptions_agree(library: Path, project: Path) -> None:
    description = json.loads((library / "library.json").read_text(encoding="utf-8"))
    lines = (library / "library.properties").read_text(encoding="utf-8").splitlines()
    properties = dict(line.split("=", 1) for line in lines)
    version = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert description["version"] == properties["version"] == version
    assert description["name"] == properties["name"]
    assert description["headers"] == properties["includes"] == "anp.h"
    # What Arduino's library manager insists on.
    assert set(properties) >= {"author", "maintainer", "sentence", "paragraph", "category", "url", "architectures"}
    examples = sorted(path.name for path in (library / "examples").iterdir())
    assert sorted(entry["name"] for entry in description["examples"]) == examples
    for entry in description["examples"]:
        assert all((library / entry["base"] / name).is_file() for name in entry["files"])


def test_keywords_are_the_interface(library: Path) -> None:
    lines = (library / "keywords.txt").read_text(encoding="utf-8").splitlines()
    words = {line.split("\t")[0] for line in lines if "\t" in line}
    header = (library / "src/anp.h").read_text(encoding="utf-8")
    assert not {word for word in words if not re.search(rf"\b{word}\b", header)}
    functions = set(re.findall(r"^(?:static inline )?[\w ]+?[ *](anp_\w+)\(", header, re.MULTILINE))
    assert functions <= words


@pytest.fixture(scope="session")
def xor_builds(example: Callable[[str], Path]) -> Path:
    return example("XorFromNoise")


@pytest.mark.parametrize("board", [*CHIPS])
def test_xor_from_noise(xor_builds: Path, board: str, simulate: Simulate) -> None:
    with simulate(CHIPS[board], xor_builds / board / "firmware.elf") as chip:
        said = chip.read_until(b"Learned. Press reset").decode()
    answers = [float(answer) for answer in re.findall(r"answers (.*)", said)[-1].split()]
    assert answers == pytest.approx([-1, 1, 1, -1], abs=0.1)


def test_learn_a_sensor(example: Callable[[str], Path], simulate: Simulate) -> None:
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
