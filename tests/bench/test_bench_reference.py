"""``mtjlearn bench --reference``: what is measured, and that the programs for torch do the work that they are timed for."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from mtjlearn.bench.desktop import reference as bench
from mtjlearn.bench.desktop import torch_programs
from mtjlearn.cli.bench import cli
from mtjlearn.cli.view.bench_reference import tell_reference
from mtjlearn.network import Loss, Network
from mtjlearn.reference import Adam, Reference, Rule

SIZES = (12, 9, 7, 4)


def test_an_epoch_is_measured_next_to_torch_where_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[Any] = []
    found = bench.measure_reference(2, SIZES, 2, progress=lambda *args: told.append(args))
    assert {"numpy float32", "numpy float64"} <= set(found["cpu_s_per_epoch"])
    assert all(seconds > 0 for figures in found["cpu_s_per_epoch"].values() for seconds in figures.values())
    # In float32 the table of noise values outweighs a network as small as this one.
    assert all(0 < mebibytes < 1 for mebibytes in found["memory_mib"].values())
    assert told[-1][0] == told[-1][1] - 1
    tell_reference(found)
    assert "CPU seconds of an epoch: 12-9-7-4" in capsys.readouterr().out
    monkeypatch.setattr(bench, "_torch_programs", lambda *_: {})
    alone = bench.measure_reference(1, SIZES, 1)
    assert alone["danp_ratios"] is None
    tell_reference(alone)
    assert "torch is not installed" in capsys.readouterr().out


def test_the_network_is_the_papers() -> None:
    assert (bench.SIZES, bench.BATCH, bench.SAMPLES) == ((784, 500, 500, 500, 10), 64, 60_000)


def test_the_reference_has_no_board() -> None:
    found = CliRunner().invoke(cli, ["--reference", "--board", "native"])
    assert found.exit_code == 2
    assert "omit --board and --only" in found.output


class Given:
    """Noise that is given: for each step its layers (2, B, units), layer after layer."""

    replicas = 1

    def __init__(self, layers: list[np.ndarray]) -> None:
        self._layers = deque(layers)

    def draw(self, count: int, steps: int = 1) -> np.ndarray:
        return self._layers.popleft().reshape(steps, 1, count)


@pytest.mark.parametrize("rule", ["bp", "anp", "danp"])
@pytest.mark.parametrize("program", ["authors", "plain"])
def test_torch_programs_learn_what_the_reference_learns(program: str, rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed: make test-torch installs and tests it")
    if (program, rule) == ("plain", "bp"):
        pytest.skip("the plain loop has no BP")
    monkeypatch.setattr(torch_programs, "EPS", 1e-3)
    rng = np.random.default_rng(0)
    x, t = rng.standard_normal((3, 8, SIZES[0])).astype(np.float32), rng.integers(0, 4, (3, 8))
    noise = [[rng.standard_normal((2, 8, units)) for units in SIZES[1:]] for _ in range(3)]
    network = Network(
        SIZES,
        loss=Loss.CROSS_ENTROPY,
        normalised=False,
        decorrelate=(rule == "danp",) * 3,
        decorrelation_rate=1e-3,
        learning_rate=torch_programs.ETA,
    )
    source = Given([torch_programs.SIGMA * layer for step in noise for layer in step])
    reference = Reference(
        network,
        Rule.BP if rule == "bp" else Rule.ANP,
        source,
        optimiser=Adam(),
        reading="code",
        centring=program == "authors" and rule == "danp",
    )
    other: Any = (torch_programs.AuthorsProgram if program == "authors" else torch_programs.PlainProgram)(SIZES, rule)
    parameters = [(layer.weight, layer.bias) for layer in other._layers] if program == "authors" else []
    parameters = parameters or list(zip(other._weights, other._biases, strict=True))
    with torch.no_grad():
        for (weights, biases), rows in zip(parameters, reference.weights, strict=True):
            weights.copy_(torch.tensor(rows[0, :, :-1]))
            biases.copy_(torch.tensor(rows[0, :, -1]))
    if program == "authors":
        queue = [step[layer][p] for step in noise for p in range(2) for layer in range(3)]
    else:
        queue = [step[layer].reshape(16, -1) for step in noise for layer in range(3)]
    drawn = deque(torch.tensor(part, dtype=torch.float32) for part in queue)
    monkeypatch.setattr(torch, "randn_like", lambda like: drawn.popleft())
    for inputs, classes in zip(x, t, strict=True):
        other.step(torch.tensor(inputs), torch.tensor(classes))
        reference.train(inputs, classes, 1, batch=8)
    for (weights, biases), rows in zip(parameters, reference.weights, strict=True):
        both = np.column_stack([weights.detach(), biases.detach()])
        np.testing.assert_allclose(both, rows[0], rtol=0, atol=2e-6)
    if rule == "danp":
        matrices = [layer.matrix for layer in other._layers] if program == "authors" else other._matrices
        for matrix, own in zip(matrices, reference.matrices, strict=True):
            np.testing.assert_allclose(matrix, own[0], rtol=0, atol=2e-6)
            assert not np.array_equal(own[0], np.eye(len(own[0])))
