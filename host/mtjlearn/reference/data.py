"""Datasets of the reference: their shapes, checked, and the order in which samples are used."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjlearn.network import Loss, Network

Order = Callable[[int], NDArray[np.int64]]
"""Order of the samples in an epoch (0, 1, ...): indices (M,) for all replicas or (R, M)."""


def shuffled(seeds: int | Sequence[int], samples: int) -> Order:
    """An order drawn again for each epoch, from the seed and the epoch alone.

    Args:
        seeds: one for all replicas, or one for each.
        samples: number of samples M.
    """

    def permutation(seed: int, epoch: int) -> NDArray[np.int64]:
        return np.random.default_rng((seed, epoch)).permutation(samples)

    def order(epoch: int) -> NDArray[np.int64]:
        if isinstance(seeds, int):
            return permutation(seeds, epoch)
        return np.stack([permutation(seed, epoch) for seed in seeds])

    return order


def checked_inputs(network: Network, replicas: int, x: ArrayLike) -> NDArray[np.generic]:
    """Inputs as (1 or R, M, n0), not copied, of whatever real type they have.

    Raises:
        ValueError: if they do not fit the network.
    """
    inputs = np.asarray(x)
    inputs = inputs[None] if inputs.ndim == 2 else inputs
    if inputs.ndim != 3 or len(inputs) not in (1, replicas) or inputs.shape[2] != network.sizes[0]:
        raise ValueError(
            f"inputs of shape {np.shape(x)} do not fit {network.name} with {replicas} replicas; "
            f"they must be (samples, {network.sizes[0]})"
        )
    if inputs.dtype.kind not in "fiub":
        raise ValueError(f"inputs of type {inputs.dtype} are not real numbers")
    return inputs


def checked_dataset(
    network: Network, replicas: int, x: ArrayLike, target: ArrayLike
) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
    """Inputs as (1 or R, M, n0), targets as (1 or R, M, outputs) or, int64 classes, (1 or R, M).

    Raises:
        ValueError: if they do not fit the network.
    """
    inputs = checked_inputs(network, replicas, x)
    classes = network.loss is Loss.CROSS_ENTROPY
    targets: NDArray[np.generic] = np.asarray(target, dtype=np.int64 if classes else None)
    sample: tuple[int, ...] = () if classes else (network.sizes[-1],)
    targets = targets[None] if targets.ndim == 1 + len(sample) else targets
    if targets.shape[1:] != (inputs.shape[1], *sample) or len(targets) not in (1, replicas):
        wanted = ", ".join(["samples", *map(str, sample)])
        raise ValueError(f"targets of shape {np.shape(target)} do not fit {network.name}: need ({wanted})")
    if classes and targets.size and not (targets.min() >= 0 and targets.max() < network.sizes[-1]):
        raise ValueError(f"classes must be 0 .. {network.sizes[-1] - 1} for {network.name}")
    return inputs, targets
