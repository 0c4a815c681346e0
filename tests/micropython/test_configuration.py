"""What the learner in MicroPython refuses, and the bytes that it counts, are those of the C learner."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from micropython_support import Interpreter

from mtjlearn.inprocess import DEFINITIONS
from mtjlearn.inprocess.loader import Library

LAYER_RECORD = 40, 20
"""Bytes of struct anp_layer on this computer and on a chip of 32 bits."""
FIELDS = (
    *("loss", "weight_format", "rounding", "normalised", "antithetic", "decorrelate", "rule", "slope"),
    *("sigma", "noise_std", "learning_rate", "decorrelation_rate", "seed", "layers", "sizes"),
)


def configurations(count: int) -> list[dict[str, Any]]:
    """Mostly acceptable ones, each field of which is wrong now and then, at its limits too."""
    draw = random.Random(1)

    def usual(right: list[int], wrong: list[int]) -> int:
        return draw.choice(wrong if draw.random() < 0.06 else right)

    found = []
    for _ in range(count):
        layers = usual([1, 1, 2, 3, 8], [0, 9])
        found.append(
            {
                "loss": usual([0, 1], [2, 255]),
                "weight_format": usual([0, 1], [2]),
                "rounding": usual([0, 1], [2]),
                "normalised": draw.randrange(2),
                "antithetic": draw.randrange(2),
                "decorrelate": usual([0, 0, 1, (1 << layers) - 1 & 255], [1 << layers & 255, 255]),
                "rule": usual([0], [3, 255]),
                "slope": usual([0, 7], [13, 255]),
                "sigma": usual([16, 128, 4095], [0, 15, 4096, 65535]),
                "noise_std": draw.choice([0, 1, 65535]),
                "learning_rate": draw.choice([0, 1, 2**32 - 1]),
                "decorrelation_rate": usual([128, 2**18, 4194304], [0, 127, 4194305, 2**32 - 1]),
                "seed": usual([1, 2**32 - 1], [0]),
                "layers": layers,
                "sizes": [usual([1, 2, 3, 7, 12], [0, 99, 100, 200, 201, 1024, 1025]) for _ in range(min(layers, 8) + 1)],
            }
        )
    return found


def in_c(config: dict[str, Any]) -> str:
    """Status, arena bytes as on a chip of 32 bits, and blob bytes."""
    ffi, lib = Library(DEFINITIONS).load()
    status, size = ffi.new("int *"), ffi.new("uint32_t *")
    learner = lib.learner_create(ffi.new("struct anp_config *", config), status)
    if learner == ffi.NULL:
        return f"{status[0]} 0 0"
    here, there = LAYER_RECORD
    needed = lib.learner_counters(learner).arena_used - (here - there) * config["layers"]
    blob = 0
    for memory in (lib.learner_weights, lib.learner_matrices):
        memory(learner, size)
        blob += size[0]
    lib.learner_destroy(learner)
    return f"0 {needed} {blob}"


@pytest.mark.parametrize("port", ["viper", pytest.param("node", marks=pytest.mark.slow)])
def test_configurations(port: str, interpreters: Callable[[str], Interpreter], tmp_path: Path) -> None:
    asked = configurations(250)
    lines = []
    for config in asked:
        numbers = [number for name in FIELDS for number in (config[name] if name == "sizes" else [config[name]])]
        lines.append("check " + " ".join(map(str, numbers)))
    expected = [in_c(config) for config in asked]
    statuses = {line.split()[0] for line in expected}
    assert statuses == {*"0123456789", "11", "12"}
    for config, answer, right in zip(asked, interpreters(port).answers(lines, tmp_path), expected, strict=True):
        assert answer == right, config
