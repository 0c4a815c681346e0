"""In which order the noise of passes is taken from its source: as on a device, or as in the authors' code."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mtjlearn.noise.sources import NoiseSource

Noise = NDArray[np.floating]


def training_noise(
    source: NoiseSource, sizes: tuple[int, ...], passes: int, samples: int, *, mirrored: bool, along: int | None
) -> Noise:
    """Noise of all noisy passes of some samples, (R, P, B, N).

    Args:
        source: the noise.
        sizes: inputs, then units of each layer.
        passes: noisy passes of each sample, P.
        samples: B.
        mirrored: the second half of the passes has the noise of the first, negated.
        along: samples of a batch along which a junction's samples run (:func:`along_batches`); None: the passes of a sample
            come after each other, as on a device.
    """
    drawn = passes // 2 if mirrored else passes
    if along is not None:
        values = along_batches(source, sizes, drawn, samples, along)
    else:
        units = sum(sizes[1:])
        values = source.draw(drawn * units, samples).reshape(samples, source.replicas, drawn, units).transpose(1, 2, 0, 3)
    return np.concatenate([values, -values], axis=1) if mirrored else values


def along_batches(source: NoiseSource, sizes: tuple[int, ...], passes: int, samples: int, batch: int) -> Noise:
    """All samples of a batch in pass 1, then all of pass 2.

    A junction per unit advances by one sample of its own from each sample of the batch to the next. A serial source serves layer
    after layer: all units of pass 1's first sample, of its second sample, and so on.

    Args:
        source: the noise.
        sizes: inputs, then units of each layer.
        passes: of each sample, P.
        samples: in all, B.
        batch: samples of a batch; the last one may have fewer.

    Returns:
        Noise of all passes, (R, P, B, N).
    """
    parts = [_batch(source, sizes, passes, min(batch, samples - start)) for start in range(0, samples, batch)]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)


def _batch(source: NoiseSource, sizes: tuple[int, ...], passes: int, samples: int) -> Noise:
    # A source with junctions per unit serves all units at once.
    layers = [sum(sizes[1:])] if getattr(source, "units", 1) > 1 else list(sizes[1:])
    drawn = [source.draw(units, passes * samples).reshape(passes, samples, source.replicas, units) for units in layers]
    values = drawn[0] if len(drawn) == 1 else np.concatenate(drawn, axis=-1)
    return values.transpose(2, 0, 1, 3)


def blocks(samples: int, size: int) -> Iterator[slice]:
    """Samples in blocks."""
    return (slice(low, high) for low, high in pairwise([*range(0, samples, size), samples]))
