"""Random crops and flips of a training part of images, as the paper's authors use them on CIFAR.

Each epoch sees each image once: moved by up to four pixels in both directions, and mirrored half of the time. What moves in from
outside is black, as the image was padded before it was scaled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjlearn import interruption
from mtjlearn.datasets.dataset import Array, Dataset, DatasetError, Values

PADDING = 4
"""Pixels around an image that a crop of its own size may reach into."""
_CHUNK = 4096
"""Images changed at once."""
_STREAM = 0xC401


@dataclass(frozen=True)
class Augmentation:
    """Crops and flips of images.

    Args:
        shape: channels, rows, columns of an image.
        black: what black is after scaling, shape (channels * rows * columns,).
        seed: with the epoch it decides every crop and flip.
        padding: pixels around an image.
        flip: mirror half of the images from left to right.
    """

    shape: tuple[int, int, int]
    black: Array
    seed: int
    padding: int = PADDING
    flip: bool = True

    @classmethod
    def of(cls, dataset: Dataset, seed: int) -> Augmentation:
        """That of a dataset of colour images.

        Raises:
            DatasetError: it has none: digits and clothes are not mirrored, and a table has no pixels.
        """
        if dataset.shape is None or dataset.shape[0] != 3:
            raise DatasetError(f"{dataset.name} has no colour images; crops and flips are for cifar10 and cifar100: omit --augment")
        return cls(dataset.shape, dataset.input_scaling.apply(np.zeros((1, dataset.inputs)))[0], seed)

    def epoch(self, x: Values, epoch: int) -> Values:
        """The images of an epoch (0, 1, ...): a copy of x, shape (samples, inputs), each one cropped and perhaps mirrored."""
        rows, columns = self.shape[1:]
        samples = len(x)
        generator = np.random.default_rng([_STREAM, self.seed, epoch])
        down, right = generator.integers(0, 2 * self.padding + 1, (2, samples))
        mirrored = generator.random(samples) < 0.5 if self.flip else np.zeros(samples, dtype=np.bool_)
        changed = np.empty_like(x)
        for start in range(0, samples, _CHUNK):
            interruption.check()
            part = slice(start, start + _CHUNK)
            images = self._padded(x[part])
            across = right[part, None] + np.arange(columns)
            across = np.where(mirrored[part, None], across[:, ::-1], across)
            along = down[part, None] + np.arange(rows)
            index = np.arange(len(images))[:, None, None, None]
            channels = np.arange(self.shape[0])[None, :, None, None]
            cropped = images[index, channels, along[:, None, :, None], across[:, None, None, :]]
            changed[part] = cropped.reshape(len(images), -1)
        return changed

    def _padded(self, x: Values) -> NDArray[np.floating]:
        channels, rows, columns = self.shape
        images = np.empty((len(x), channels, rows + 2 * self.padding, columns + 2 * self.padding), dtype=x.dtype)
        images[...] = self.black.reshape(self.shape)[None, :, :1, :1]
        inside = slice(self.padding, self.padding + rows), slice(self.padding, self.padding + columns)
        images[:, :, inside[0], inside[1]] = x.reshape(-1, *self.shape)
        return images
