"""Trains the deep networks of figure 4 and table I as the authors' code does: Adam, batches, noise that is not centred.

The methods differ in the rule, in the noise and in what is decorrelated; everything else is the same for all.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtjlearn.datasets import Augmentation, Dataset, load
from mtjlearn.network import Loss, Network
from mtjlearn.noise import NoiseSource, Playback, SimulatedSmtj, load_recording
from mtjlearn.reference import Adam, Reference, Rule, shuffled

BATCH = 64
METHODS = {
    "bp": "BP",
    "anp": "ANP, a junction per node",
    "danp": "DANP, a junction per node",
    "danp_single": "DANP, one serial recording",
}
"""What figure 4 compares; the paper leaves ANP out."""
DECORRELATED = ("danp", "danp_single")

_EVALUATED_SAMPLES = 10_000
"""Training samples of which the accuracy is measured, at most."""


@dataclass(frozen=True)
class Task:
    """Data and network of a comparison.

    Args:
        data: name of a dataset or an image set.
        hidden: units of the hidden layers.
        epochs: passes through the training part.
        samples: training samples that are used, of those of an image set; None: all.
        rates: learning rates eta and eps of each method.
        seconds: CPU seconds of each method's training, about.
        evaluations: how often accuracies are measured, about.
    """

    data: str
    hidden: tuple[int, ...]
    epochs: int
    samples: int | None
    rates: dict[str, tuple[float, float]]
    seconds: dict[str, float]
    evaluations: int = 20


def read(data: str, seed: int, samples: int | None, folder: str | None) -> Dataset:
    """The data, all inputs in one scale, images as they are published.

    Raises:
        DatasetError: they are not there; the text says where they were looked for.
    """
    if data == "digits":
        return load(data, seed=seed, scale="global")
    return load(data, seed=seed, samples=samples, data_dir=folder)


def train(
    data: str,
    hidden: list[int],
    method: str,
    eta: float,
    epsilon: float,
    epochs: int,
    seed: int,
    samples: int | None = None,
    folder: str | None = None,
    recording: str | None = None,
    device: str | None = None,
    evaluations: int = 20,
) -> dict[str, Any]:
    """One training.

    Args:
        data: see :class:`Task`.
        hidden: the same.
        method: of :data:`METHODS`.
        eta: learning rate of the weights.
        epsilon: learning rate of the decorrelation.
        epochs: passes through the training part.
        seed: of the split, the weights, the order and the noise.
        samples: see :class:`Task`.
        folder: with image sets.
        recording: a file that is played to danp_single; None: one simulated junction.
        device: of torch; None computes with NumPy.
        evaluations: how often accuracies are measured, about.

    Returns:
        Mean training loss of each epoch; accuracies of the training part (augmented, where it is trained so) and the test part,
        in noisy passes as the authors measure them, and the epochs after which they were measured; seconds.
    """
    dataset = read(data, seed, samples, folder)
    sizes = (dataset.inputs, *hidden, len(dataset.classes or ()))
    network = Network(
        sizes,
        loss=Loss.CROSS_ENTROPY,
        normalised=False,
        learning_rate=eta,
        decorrelate=(method in DECORRELATED,) * (len(sizes) - 1),
        decorrelation_rate=epsilon,
        seed=seed + 1,
    )
    noise = None if method == "bp" else _noise(method, network.units, seed, recording)
    model = Reference(
        network,
        Rule.BP if method == "bp" else Rule.ANP,
        noise,
        optimiser=Adam(),
        reading="code",
        dtype="float32",
        device=device,
    )
    augmented = Augmentation.of(dataset, seed) if data.startswith("cifar") else None
    x, y = dataset.x_train.astype(np.float32), dataset.y_train
    order = shuffled(seed, len(x))
    losses: list[float] = []
    accuracy: dict[str, list[float]] = {"train": [], "test": []}
    evaluated = sorted({round(share * epochs / evaluations) for share in range(1, evaluations + 1)} - {0})
    started = time.monotonic()
    for epoch in range(epochs):
        shown = x if augmented is None else augmented.epoch(x, epoch)
        history = model.train(shown, y, 1, batch=BATCH, order=order)
        losses.append(float(history.losses[0, 0]))
        if epoch + 1 in evaluated:
            accuracy["train"].append(float(model.evaluate(shown[:_EVALUATED_SAMPLES], y[:_EVALUATED_SAMPLES]).accuracy[0]))
            accuracy["test"].append(float(model.evaluate(dataset.x_test, dataset.y_test).accuracy[0]))
    return {
        "losses": losses,
        "train_accuracy": accuracy["train"],
        "test_accuracy": accuracy["test"],
        "evaluated": evaluated,
        "seconds": time.monotonic() - started,
    }


def _noise(method: str, units: int, seed: int, recording: str | None) -> NoiseSource:
    if method != "danp_single":
        return SimulatedSmtj(None, "per_node", units, seed=seed)
    if recording is None:
        return SimulatedSmtj(None, "single", seed=seed)
    found = load_recording(Path(recording))
    return Playback(found, None, starts=[seed * 7919 % found.values.size])
