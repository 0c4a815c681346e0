"""``mtjlearn bench --inference``: what it measures, what it refuses, and whether docs/benchmarks.md says the same."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from model_support import EPOCHS, random_model, trained_model
from places import PROJECT

from mtjlearn.bench.chip.inference import measure_inference
from mtjlearn.cli.bench import cli
from mtjlearn.firmware import ToolMissing, build_simulator, find_avr_gcc
from mtjlearn.models.storage import write_model

OFTEN = 1.03
"""A figure that grows by more is a fault, or needs a new one in the page."""


@pytest.fixture(scope="module", autouse=True)
def _tools(tool_missing: Callable[[str], None]) -> None:
    try:
        find_avr_gcc()
        build_simulator("uno-library")
    except ToolMissing as missing:
        tool_missing(str(missing))


def bench(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [*map(str, arguments), "--json"])


def test_every_program_names_the_same_classes(tmp_path: Path) -> None:
    write_model(random_model((4, 8, 3)), tmp_path / "model.npz")
    done = bench("--inference", tmp_path / "model.npz")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    programs = found["programs"]
    assert {"exported", "plain float"} <= set(programs)
    assert ("emlearn float" in programs) == (importlib.util.find_spec("emlearn") is not None)
    for figures in programs.values():
        assert 0 < figures["cycles"]["median"] <= figures["cycles"]["most"]
        assert figures["same"] > 0.9 * found["rows"]
    assert programs["exported"]["same"] == found["rows"]
    assert programs["exported"]["cycles"]["most"] < programs["plain float"]["cycles"]["median"]
    assert "exported" in done.stderr


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (random_model((5, 4, 2), classes=False), "predict classes"),
        (random_model((4, 6, 3), decorrelated=True), "without decorrelation"),
    ],
    ids=["regression", "decorrelated"],
)
def test_what_others_cannot_compute_is_refused(model: object, says: str, tmp_path: Path) -> None:
    write_model(model, tmp_path / "model.npz")
    done = bench("--inference", tmp_path / "model.npz")
    assert done.exit_code == 2
    assert says in json.loads(done.stdout)["error"]


def test_it_measures_no_board(tmp_path: Path) -> None:
    done = bench("--inference", tmp_path, "--board", "native")
    assert done.exit_code == 2
    assert "omit --board" in done.stderr


def test_a_network_too_large_for_the_chip_is_not_run() -> None:
    """12,180 weights: 24 KB as int16, and as floats more than an array of this chip can have."""
    programs = measure_inference(random_model((200, 60, 3)), rows=3)["programs"]
    assert programs["exported"]["fits"]
    assert programs["plain float"] == {"flash": None, "ram": None, "cycles": None, "same": None, "fits": False}


def figures_of_the_page(network: str) -> dict[str, list[int | None]]:
    """Flash, static RAM and cycles by program; None for what has none."""
    text = (PROJECT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    rows = re.findall(rf"^\| {network} \| ([\w ]+?) \|([^\n]*)\|$", text, re.MULTILINE)
    assert rows, network
    cells = {name: [cell.strip().replace(",", "") for cell in line.split("|")] for name, line in rows}
    return {name: [int(cell) if cell.isdigit() else None for cell in line[:3]] for name, line in cells.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", EPOCHS)
def test_the_page_says_what_is_measured(name: str, tmp_path: Path) -> None:
    model = trained_model(name, tmp_path)
    page = figures_of_the_page(model.network.name)
    for program, figures in measure_inference(model)["programs"].items():
        cycles = figures["cycles"]
        measured = [figures["flash"], figures["ram"], None if cycles is None else cycles["median"]]
        for now, then in zip(measured, page[program], strict=True):
            assert (now is None) == (then is None)
            assert now is None or then / OFTEN <= now <= then * OFTEN or now == then == 0
