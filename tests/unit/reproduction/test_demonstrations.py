"""What the reproduction must show, at its own scale (docs/reproduction.md)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from mtjlearn import reproduction
from mtjlearn.datasets.image_files import SYSTEM
from mtjlearn.reproduction import Options

pytestmark = pytest.mark.slow

JOBS = min(2, os.cpu_count() or 1)


@pytest.fixture
def fashion_mnist(tool_missing: Callable[[str], NoReturn]) -> None:
    """The images are there; they are not downloaded for a test."""
    if not (SYSTEM / "fashion-mnist").is_dir():
        tool_missing("Fashion-MNIST is missing (Debian package dataset-fashion-mnist)")


def test_danp_is_where_anp_ends_in_half_the_epochs_on_a_chip(tmp_path: Path) -> None:
    [rules] = reproduction.reproduce("fig4-chip", Options(), tmp_path, jobs=JOBS).numbers["fig4-chip"]["boards"].values()
    assert rules["danp"]["epochs_to"]["anp_final_loss"] <= 10
    assert rules["danp"]["test_accuracy"] >= 0.88


def test_three_ways_to_a_teacher(tmp_path: Path) -> None:
    found = reproduction.reproduce("fig5", Options(), tmp_path, jobs=JOBS).numbers["fig5"]
    assert found["within_quartiles"]
    for way in ("python", "streamed", "autonomous"):
        assert found[way]["repeats"] == 100
        assert found[way]["median"][0] == pytest.approx(1.09, abs=0.05)
        assert found[way]["median"][-1] == pytest.approx(0.024, abs=0.01)
    assert found["streamed"]["times_one_call_per_ms"] > 1


@pytest.mark.usefixtures("fashion_mnist")
def test_danp_is_where_anp_ends_in_half_the_epochs(tmp_path: Path) -> None:
    found = reproduction.reproduce("fig4", Options(), tmp_path, jobs=JOBS).numbers["fig4"]
    for task in found.values():
        assert task["danp"]["epochs_to"]["anp_final_loss"] <= task["epochs"] / 2
        assert task["danp_single"]["loss"] < task["anp"]["loss"]


@pytest.mark.usefixtures("fashion_mnist")
def test_one_layer_is_within_a_percentage_point_of_backpropagation(tmp_path: Path) -> None:
    found = reproduction.reproduce("fig3", Options(), tmp_path, jobs=JOBS).numbers["fig3"]
    assert found["epochs"] >= 10
    parts = found["fashion-mnist"]
    for below in (*parts["training"]["several"]["below_bp"].values(), *parts["test"]["several"]["below_bp"].values()):
        assert below <= 0.01
    # With one pair of passes too, on new images; the images that are learned backpropagation fits better.
    assert max(parts["test"]["below_bp"].values()) <= 0.01
    assert max(parts["training"]["below_bp"].values()) <= 0.02
